#include "base/byte_budget.h"

#include <algorithm>
#include <chrono>

namespace vecframe {

Credit& Credit::operator=(Credit&& other) noexcept {
  if (this != &other) {
    release();
    budget_ = std::exchange(other.budget_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
  }
  return *this;
}

void Credit::release() {
  if (budget_ != nullptr) budget_->give_back(bytes_);
  budget_ = nullptr;
  bytes_ = 0;
}

void Credit::shrink_to(std::int64_t bytes) {
  if (budget_ == nullptr || bytes >= bytes_) return;
  budget_->give_back(bytes_ - bytes);
  bytes_ = bytes;
}

Credit ByteBudget::acquire(std::int64_t bytes, const CancellationToken& cancellation) {
  if (bytes > capacity_) return {};
  std::unique_lock lock(mutex_);
  const std::uint64_t ticket = next_ticket_++;
  // A cancelled waiter must still pass its turn on, or those behind it would wait for ever; hence
  // the short sleeps.
  while (ticket != serving_ || (in_use_ + bytes > capacity_ && !cancellation.cancelled())) {
    if (ticket == serving_) first_bytes_ = bytes;
    changed_.wait_for(lock, std::chrono::milliseconds(50));
  }
  ++serving_;
  first_bytes_ = 0;
  changed_.notify_all();
  if (in_use_ + bytes > capacity_) return {};
  in_use_ += bytes;
  peak_ = std::max(peak_, in_use_);
  return Credit(this, bytes);
}

Credit ByteBudget::try_acquire(std::int64_t bytes) {
  std::lock_guard lock(mutex_);
  if (serving_ != next_ticket_ || in_use_ + bytes > capacity_) return {};
  in_use_ += bytes;
  peak_ = std::max(peak_, in_use_);
  return Credit(this, bytes);
}

std::int64_t ByteBudget::in_use() const {
  std::lock_guard lock(mutex_);
  return in_use_;
}

std::int64_t ByteBudget::blocked() const {
  std::lock_guard lock(mutex_);
  if (in_use_ + first_bytes_ <= capacity_) return 0;
  return static_cast<std::int64_t>(next_ticket_ - serving_);
}

std::int64_t ByteBudget::peak() const {
  std::lock_guard lock(mutex_);
  return peak_;
}

void ByteBudget::give_back(std::int64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    in_use_ -= bytes;
  }
  changed_.notify_all();
}

}  // namespace vecframe
