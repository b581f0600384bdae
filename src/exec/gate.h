// So many at a time, and no more.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

#include "base/cancellation.h"

namespace vecframe::exec {

/// Thread-safe. Whoever is inside must not wait for those who wait to enter.
class Gate {
 public:
  explicit Gate(int places) : free_(places) {}

  /// A place, for as long as this lives.
  class [[nodiscard]] Pass {
   public:
    Pass() = default;
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&& other) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->leave();
    }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    friend class Gate;
    explicit Pass(Gate* gate) : gate_(gate) {}
    Gate* gate_ = nullptr;
  };

  /// Waits for a place. Empty once `stopping` is cancelled, which is seen within 50 ms.
  Pass enter(const CancellationToken& stopping) {
    std::unique_lock lock(mutex_);
    ++waiting_;
    while (free_ == 0 && !stopping.cancelled()) left_.wait_for(lock, std::chrono::milliseconds(50));
    --waiting_;
    if (free_ == 0) return {};
    --free_;
    return Pass(this);
  }

  /// How many wait in enter().
  std::int64_t waiting() {
    std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  void leave() {
    {
      std::lock_guard lock(mutex_);
      ++free_;
    }
    left_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable left_;
  int free_;                  // guarded by mutex_
  std::int64_t waiting_ = 0;  // guarded by mutex_
};

}  // namespace vecframe::exec
