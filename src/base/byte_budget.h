// One number of bytes that everything in flight shares.
//
// A stage takes credit before it holds memory and gives it back when the memory is gone; that is
// the only back-pressure of the pipeline, so queues need no limit of their own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

#include "base/cancellation.h"

namespace vecframe {

class ByteBudget;

/// Bytes taken from a budget; gives them back when destroyed.
class [[nodiscard]] Credit {
 public:
  Credit() = default;
  Credit(Credit&& other) noexcept
      : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
  Credit& operator=(Credit&& other) noexcept;
  ~Credit() { release(); }

  std::int64_t bytes() const { return bytes_; }
  explicit operator bool() const { return budget_ != nullptr; }
  void release();
  /// Gives back all but `bytes`.
  void shrink_to(std::int64_t bytes);

 private:
  friend class ByteBudget;
  Credit(ByteBudget* budget, std::int64_t bytes) : budget_(budget), bytes_(bytes) {}
  ByteBudget* budget_ = nullptr;
  std::int64_t bytes_ = 0;
};

class ByteBudget {
 public:
  explicit ByteBudget(std::int64_t capacity) : capacity_(capacity) {}

  /// Waits until `bytes` are free and takes them. Waiters are served in the order of their calls,
  /// so a large row is not starved by small ones. Returns an empty credit if `cancellation` fires
  /// first, or if bytes > capacity().
  Credit acquire(std::int64_t bytes, const CancellationToken& cancellation);
  /// Takes `bytes` if they are free and nobody waits; otherwise returns an empty credit.
  Credit try_acquire(std::int64_t bytes);

  std::int64_t capacity() const { return capacity_; }
  std::int64_t in_use() const;
  /// How many wait in acquire(), if the first of them cannot be served as things are; else 0.
  std::int64_t blocked() const;
  /// The largest in_use() so far.
  std::int64_t peak() const;

 private:
  friend class Credit;
  void give_back(std::int64_t bytes);

  const std::int64_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t in_use_ = 0;        // guarded by mutex_
  std::int64_t peak_ = 0;          // guarded by mutex_
  std::uint64_t next_ticket_ = 0;  // guarded by mutex_
  std::uint64_t serving_ = 0;      // guarded by mutex_; the ticket that may take credit now
  std::int64_t first_bytes_ = 0;   // guarded by mutex_; that this ticket waits for, once it waits
};

}  // namespace vecframe
