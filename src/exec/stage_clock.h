// What the threads of a run count as they go, each by adding to shared atomics.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "exec/batch_sizer.h"

namespace vecframe::exec {

/// Time spent in one stage, summed over threads. Waiting for the budget or for other stages is not
/// part of it, and has clocks of its own.
class StageClock {
 public:
  /// Adds the time of its life.
  class Scope {
   public:
    explicit Scope(StageClock& clock) : clock_(clock), start_(Clock::now()) {}
    ~Scope() { clock_.nanoseconds_.fetch_add(nanoseconds(), std::memory_order_relaxed); }
    /// Of its life so far.
    std::int64_t nanoseconds() const {
      return std::chrono::nanoseconds(Clock::now() - start_).count();
    }
    double seconds() const { return static_cast<double>(nanoseconds()) * 1e-9; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    using Clock = std::chrono::steady_clock;
    StageClock& clock_;
    const Clock::time_point start_;
  };

  /// Within a Scope of one clock: the time of its life goes to another.
  class Pause {
   public:
    Pause(StageClock& from, StageClock& to) : from_(from), waiting_(to) {}
    ~Pause() { from_.nanoseconds_.fetch_sub(waiting_.nanoseconds(), std::memory_order_relaxed); }
    Pause(const Pause&) = delete;
    Pause& operator=(const Pause&) = delete;

   private:
    StageClock& from_;
    const Scope waiting_;
  };

  void add(std::chrono::nanoseconds spent) {
    nanoseconds_.fetch_add(spent.count(), std::memory_order_relaxed);
  }
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
  std::atomic<std::int64_t> batches{0}, batch_size{0}, memory_failures{0};
  std::atomic<std::int64_t> rows_listed{0};  ///< that sources gave
  std::atomic<std::int64_t> rows_read{0}, rows_prepared{0}, rows_embedded{0};
  std::atomic<std::int64_t> duplicates{0}, cache_hits{0};
  std::atomic<std::int64_t> retries{0};  ///< calls of an embedder for parts of a batch that failed
  std::atomic<std::int64_t> peak_bytes{0};  ///< of the budget, where the run has several

  void note_batch(const BatchSizer& sizer) {
    ++batches;
    batch_size = sizer.size();
    memory_failures = sizer.halvings();
  }
  void note_peak(std::int64_t bytes) {
    std::int64_t seen = peak_bytes;
    while (seen < bytes && !peak_bytes.compare_exchange_weak(seen, bytes)) {
    }
  }
};

}  // namespace vecframe::exec
