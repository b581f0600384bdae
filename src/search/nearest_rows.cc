#include "search/nearest_rows.h"

#include <algorithm>
#include <cmath>

namespace vecframe::search {
namespace {

bool better(const Hit& a, const Hit& b) {
  return a.similarity != b.similarity ? a.similarity > b.similarity : a.row < b.row;
}

double norm(std::span<const float> vector) {
  double sum = 0;
  for (float value : vector) sum += static_cast<double>(value) * value;
  return std::sqrt(sum);
}

}  // namespace

NearestRows::NearestRows(std::span<const float> queries, std::size_t dimension, std::size_t count)
    : dimension_(dimension), count_(count), unit_queries_(queries.begin(), queries.end()) {
  best_.resize(queries.size() / dimension);
  for (std::size_t q = 0; q < best_.size(); ++q) {
    const double length = norm(queries.subspan(q * dimension, dimension));
    if (length == 0) continue;
    for (std::size_t i = 0; i < dimension; ++i) unit_queries_[q * dimension + i] /= length;
  }
}

void NearestRows::add(std::int64_t row, std::span<const float> vector) {
  const double length = norm(vector);
  for (std::size_t q = 0; q < best_.size(); ++q) {
    double dot = 0;
    for (std::size_t i = 0; i < dimension_; ++i)
      dot += unit_queries_[q * dimension_ + i] * vector[i];
    const Hit hit{row, length == 0 ? 0.0 : dot / length};
    std::vector<Hit>& heap = best_[q];
    if (heap.size() == count_) {
      if (count_ == 0 || !better(hit, heap.front())) continue;
      std::pop_heap(heap.begin(), heap.end(), better);
      heap.back() = hit;
    } else {
      heap.push_back(hit);
    }
    std::push_heap(heap.begin(), heap.end(), better);
  }
}

std::vector<Hit> NearestRows::hits(std::size_t query) const {
  std::vector<Hit> sorted = best_[query];
  std::sort(sorted.begin(), sorted.end(), better);
  return sorted;
}

}  // namespace vecframe::search
