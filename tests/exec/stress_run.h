// What stress tests share: seeds, random delays and failures, a watchdog, a count of threads.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <random>
#include <string>
#include <thread>

namespace vecframe::exec {

/// How many seeds a stress test goes through; VECFRAME_SLOW_TESTS=1 asks for many.
inline int num_seeds(int usual) {
  const char* slow = std::getenv("VECFRAME_SLOW_TESTS");
  return slow != nullptr && std::string(slow) == "1" ? 50 * usual : usual;
}

/// Random numbers for any thread.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : random_(seed) {}
  /// In [0, count).
  std::int64_t below(std::int64_t count) {
    std::lock_guard lock(mutex_);
    return static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(count));
  }
  bool one_in(std::int64_t count) { return below(count) == 0; }
  /// Mostly not at all.
  void delay() {
    if (one_in(3)) std::this_thread::sleep_for(std::chrono::microseconds(below(700)));
  }

 private:
  std::mutex mutex_;
  std::mt19937 random_;
};

/// Ends the process, naming the seed, if it lives too long: a run that hangs would do so for ever.
class Watchdog {
 public:
  explicit Watchdog(std::string what) : what_(std::move(what)), thread_([this] { watch(); }) {}
  ~Watchdog() {
    {
      std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void watch() {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, std::chrono::minutes(2), [this] { return over_; })) return;
    std::fprintf(stderr, "%s hangs\n", what_.c_str());
    std::abort();
  }

  const std::string what_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

/// Threads of this process.
inline int count_threads() {
  // The thread sanitizer starts one of its own along with the first.
  [[maybe_unused]] static const bool begun = (std::thread([] {}).join(), true);
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("Threads:")) return std::atoi(line.c_str() + 8);
  return -1;
}

/// Whether there are so many threads: a thread that was joined counts for a moment longer.
inline bool threads_are_back_to(int count) {
  for (int attempt = 0; attempt < 5000 && count_threads() != count; ++attempt)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return count_threads() == count;
}

}  // namespace vecframe::exec
