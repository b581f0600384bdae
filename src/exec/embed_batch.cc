#include "exec/embed_batch.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <new>
#include <string>
#include <utility>

namespace vecframe::exec {

namespace {

class Batch {
 public:
  Batch(BatchSizer& sizer, const std::function<void(std::int64_t, std::int64_t)>& embed,
        const std::function<void(std::int64_t, RowError)>& fail,
        const std::function<bool()>& keep_on)
      : sizer_(sizer), embed_(embed), fail_(fail), keep_on_(keep_on) {}

  void embed_rows(std::int64_t first, std::int64_t count, bool again) {
    const std::int64_t end = first + count;
    while (first < end) {
      const std::int64_t rows = std::min(end - first, sizer_.size());
      embed_part(first, rows, again);
      first += rows;
    }
  }
  std::int64_t retries() const { return retries_; }

 private:
  void embed_part(std::int64_t first, std::int64_t count, bool again) {
    if (!keep_on_()) return;
    if (again) ++retries_;
    std::string cause;
    ErrorCode code = ErrorCode::kEmbedderFailed;
    try {
      embed_(first, count);
      return;
    } catch (const std::bad_alloc& error) {
      if (count > 1) sizer_.out_of_memory(count);
      code = ErrorCode::kOverBudget;
      cause = "there is no memory to embed this row: " + std::string(error.what());
    } catch (const std::exception& error) {
      cause = error.what();
    }
    if (count == 1) {
      fail_(first, RowError{Stage::kEmbed, code, std::move(cause)});
      return;
    }
    embed_rows(first, count / 2, /*again=*/true);
    embed_rows(first + count / 2, count - count / 2, /*again=*/true);
  }

  BatchSizer& sizer_;
  const std::function<void(std::int64_t, std::int64_t)>& embed_;
  const std::function<void(std::int64_t, RowError)>& fail_;
  const std::function<bool()>& keep_on_;
  std::int64_t retries_ = 0;
};

}  // namespace

std::int64_t embed_batch(std::int64_t count, BatchSizer& sizer,
                         const std::function<void(std::int64_t first, std::int64_t count)>& embed,
                         const std::function<void(std::int64_t, RowError)>& fail,
                         const std::function<bool()>& keep_on) {
  Batch batch(sizer, embed, fail, keep_on);
  batch.embed_rows(0, count, /*again=*/false);
  return batch.retries();
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
