// The cores of a run, divided among those of its threads that have work.
//
// While every thread is busy each has a core. Once some have no more to do, the others' share
// grows, also in the middle of a call: one picture, or the last of many, is embedded by all.
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>

namespace vecframe {

/// Thread-safe.
class CoreShare {
 public:
  CoreShare(int cores, int threads) : cores_(cores), working_(threads) {}

  /// All of them, for one thread.
  static std::shared_ptr<const CoreShare> alone(int cores) {
    return std::make_shared<const CoreShare>(cores, 1);
  }

  /// Cores of each thread that has work: at least 1, and never fewer than before.
  int each() const {
    return std::max(1, cores_ / std::max(1, working_.load(std::memory_order_relaxed)));
  }
  /// One of the threads has no more work, and gets none.
  void leave() { working_.fetch_sub(1, std::memory_order_relaxed); }

 private:
  const int cores_;
  std::atomic<int> working_;
};

}  // namespace vecframe
