#include "exec/batch_sizer.h"

#include <algorithm>
#include <bit>

namespace vecframe::exec {
namespace {

// Calls of each size that is tried.
constexpr int kCalls = 3;
// A size is good enough with this share of the best rate.
constexpr double kGoodEnough = 0.97;

// The next size to try: powers of two.
std::int64_t next_below(std::int64_t size) {
  return static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(size - 1)));
}

}  // namespace

BatchSizer::BatchSizer(std::int64_t largest, bool measured)
    : size_(largest), trying_(measured && largest > 1) {
  if (trying_) trials_.push_back({largest});
}

std::int64_t BatchSizer::size() const {
  std::lock_guard lock(mutex_);
  return size_;
}

std::int64_t BatchSizer::halvings() const {
  std::lock_guard lock(mutex_);
  return halvings_;
}

void BatchSizer::note(std::int64_t rows, double seconds) {
  std::lock_guard lock(mutex_);
  // Calls of other sizes are the ends of batches, or began before this size was tried.
  if (!trying_ || rows != size_ || seconds <= 0) return;
  Trial& trial = trials_.back();
  trial.rows_per_second = std::max(trial.rows_per_second, static_cast<double>(rows) / seconds);
  if (++trial.calls == kCalls) judge();
}

// Where a size is slower, smaller ones are too: what a call costs besides its rows is divided by
// fewer of them.
void BatchSizer::judge() {
  double best = 0;
  for (const Trial& trial : trials_) best = std::max(best, trial.rows_per_second);
  if (trials_.back().rows_per_second >= kGoodEnough * best && size_ > 1) {
    size_ = next_below(size_);
    trials_.push_back({size_});
    return;
  }
  trying_ = false;
  for (const Trial& trial : trials_)
    if (trial.rows_per_second >= kGoodEnough * best) size_ = trial.size;
}

void BatchSizer::out_of_memory(std::int64_t rows) {
  std::lock_guard lock(mutex_);
  const std::int64_t half = std::max<std::int64_t>(1, rows / 2);
  if (half >= size_) return;  // another thread was first
  size_ = half;
  ++halvings_;
  trying_ = false;
}

}  // namespace vecframe::exec
