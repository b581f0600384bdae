// Exact nearest rows by cosine, for a handful of query vectors, over a stream of rows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace vecframe::search {

struct Hit {
  std::int64_t row = 0;
  double similarity = 0;  ///< cosine, -1..1
};

/// Keeps the `count` most similar rows for each query. Memory does not grow with the rows.
class NearestRows {
 public:
  /// `queries` holds queries x dimension values. A zero query has similarity 0 with every row.
  NearestRows(std::span<const float> queries, std::size_t dimension, std::size_t count);

  /// Offers a row of `dimension` values.
  void add(std::int64_t row, std::span<const float> vector);
  /// Most similar first; among equals the smaller row.
  std::vector<Hit> hits(std::size_t query) const;

 private:
  std::size_t dimension_, count_;
  std::vector<double> unit_queries_;    // (queries, dimension), L2-normalised
  std::vector<std::vector<Hit>> best_;  // a heap for each query, the worst hit on top
};

}  // namespace vecframe::search
