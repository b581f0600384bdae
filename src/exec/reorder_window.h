// Rows in flight, by their position in the input: opened in order, finished in any order, taken out
// in order.
//
// The window bounds how far the readers run ahead of the oldest unfinished row, and so the memory
// of finished rows that wait for it. A row's facts and vector belong to the one thread that works
// on it, from open() to finish(); then to the consumer, until pop().
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/fingerprint.h"
#include "base/row_error.h"
#include "image/probe.h"
#include "tensor/aligned_buffer.h"

namespace vecframe::exec {

struct RowFacts {
  std::string path;
  std::optional<RowError> error;
  std::uint32_t width = 0, height = 0;
  std::optional<image::Format> format;
  std::optional<Hash128> content;  ///< of a picture that others of the same bytes wait for
};

class ReorderWindow {
 public:
  ReorderWindow(std::int64_t capacity, std::int64_t dimension);

  /// Waits until `row` is inside the window; false once stopped.
  bool open(std::int64_t row, std::string path);
  RowFacts& facts(std::int64_t row) { return entry(row).facts; }
  /// `dimension` values.
  std::span<float> vector(std::int64_t row);
  void finish(std::int64_t row);

  /// Waits for the oldest row to finish: until `timeout`, wake() or stop(). True if it has.
  bool wait_front(std::chrono::milliseconds timeout);
  /// Position of the oldest row that has not been popped. For the consumer.
  std::int64_t front() const { return head_; }
  /// Ends the oldest row, which is finished. For the consumer.
  void pop();

  /// Ends a wait_front(), now or the next.
  void wake();
  void stop();

 private:
  struct Entry {
    RowFacts facts;
    bool finished = false;  // guarded by mutex_
  };
  Entry& entry(std::int64_t row) {
    return entries_[static_cast<std::size_t>(row % static_cast<std::int64_t>(entries_.size()))];
  }

  const std::int64_t dimension_;
  std::vector<Entry> entries_;
  tensor::AlignedBuffer<float> vectors_;  // [capacity, dimension]
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable front_finished_;
  std::int64_t head_ = 0;  // written by the consumer, under mutex_
  bool woken_ = false;     // guarded by mutex_
  bool stopped_ = false;   // guarded by mutex_
};

}  // namespace vecframe::exec
