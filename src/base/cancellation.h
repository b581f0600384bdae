// A flag that any thread, or a signal handler, may raise, and every loop looks at.
#pragma once

#include <atomic>

namespace vecframe {

class CancellationToken {
 public:
  /// Safe in a signal handler.
  void cancel() noexcept { cancelled_.store(true, std::memory_order_relaxed); }
  bool cancelled() const noexcept { return cancelled_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> cancelled_{false};
};

}  // namespace vecframe
