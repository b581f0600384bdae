#include "exec/embed_batch.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <string>
#include <utility>

namespace vecframe::exec {

void embed_batch(std::int64_t count,
                 const std::function<void(std::int64_t first, std::int64_t count)>& embed,
                 const std::function<void(std::int64_t, RowError)>& fail,
                 const std::function<bool()>& keep_on) {
  const auto embed_range = [&](const auto& self, std::int64_t first, std::int64_t length) -> void {
    if (!keep_on()) return;
    std::string cause;
    try {
      embed(first, length);
      return;
    } catch (const std::exception& error) {
      cause = error.what();
    }
    if (length == 1) {
      fail(first, RowError{Stage::kEmbed, ErrorCode::kEmbedderFailed, std::move(cause)});
      return;
    }
    self(self, first, length / 2);
    self(self, first + length / 2, length - length / 2);
  };
  embed_range(embed_range, 0, count);
}

std::optional<RowError> keep_vector(std::span<const float> vector, const VectorForm& form,
                                    std::span<float> kept) {
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (std::isfinite(vector[i])) continue;
    return RowError{Stage::kEmbed, ErrorCode::kBadOutput,
                    "value " + std::to_string(i) + " of the vector is " +
                        (std::isnan(vector[i]) ? "NaN" : "infinite")};
  }
  std::copy_n(vector.begin(), kept.size(), kept.begin());
  if (form.normalize) normalize_vector(kept);
  if (form.element == tensor::DType::kF16) {
    for (std::size_t i = 0; i < kept.size(); ++i) {
      if (std::abs(kept[i]) <= tensor::kLargestF16) continue;
      return RowError{Stage::kEmbed, ErrorCode::kBadOutput,
                      "value " + std::to_string(i) + " of the vector is beyond float16"};
    }
  }
  return std::nullopt;
}

void normalize_vector(std::span<float> vector) {
  double sum = 0;
  for (const float value : vector) sum += double{value} * double{value};
  if (sum == 0) return;
  const double norm = std::sqrt(sum);
  for (float& value : vector) value = static_cast<float>(double{value} / norm);
}

}  // namespace vecframe::exec
