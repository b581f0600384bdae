// What the threads of a run count as they go, each by adding to shared atomics.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

namespace vecframe::exec {

/// Time spent in one stage, summed over threads. Waiting for the budget or for other stages is not
/// part of it, and has clocks of its own.
class StageClock {
 public:
  /// Adds the time of its life.
  class Scope {
   public:
    explicit Scope(StageClock& clock) : clock_(clock), start_(Clock::now()) {}
    ~Scope() {
      const auto spent = std::chrono::nanoseconds(Clock::now() - start_).count();
      clock_.nanoseconds_.fetch_add(spent, std::memory_order_relaxed);
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    using Clock = std::chrono::steady_clock;
    StageClock& clock_;
    const Clock::time_point start_;
  };

  double seconds() const {
    return static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) * 1e-9;
  }

 private:
  std::atomic<std::int64_t> nanoseconds_{0};
};

struct Counters {
  StageClock read, prepare, embed, write;
  /// For names, memory or the window; for memory; for rows; for finished rows.
  StageClock read_wait, prepare_wait, embed_wait, write_wait;
  std::atomic<std::int64_t> bytes_read{0};
  std::atomic<std::int64_t> batches{0};
  std::atomic<std::int64_t> rows_read{0}, rows_prepared{0}, rows_embedded{0};
  std::atomic<std::int64_t> duplicates{0}, cache_hits{0};
  std::atomic<std::int64_t> retries{0};  ///< calls of an embedder for parts of a batch that failed
};

}  // namespace vecframe::exec
