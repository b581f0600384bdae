// Rows in flight: opened in the order of the input, finished in any order, and taken out in the
// order of the input or in that in which they finish.
//
// The window bounds how far the readers run ahead of the consumer, and so the memory of finished
// rows. A row's facts and vector belong to the one thread that works on it, from open() to
// finish(); then to the consumer, until pop().
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
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
  std::int64_t row = 0;  ///< position in the input
  std::string path;
  std::optional<RowError> error;
  std::uint32_t width = 0, height = 0;
  std::optional<image::Format> format;
  std::optional<Hash128> content;  ///< of a picture that others of the same bytes wait for
};

class ReorderWindow {
 public:
  ReorderWindow(std::int64_t capacity, std::int64_t dimension, bool ordered);

  /// Waits until `row` is inside the window, into which rows come one after the other: the ticket
  /// by which it is known there. Nothing once stopped.
  std::optional<std::int64_t> open(std::int64_t row, std::string path);
  RowFacts& facts(std::int64_t ticket) { return entry(ticket).facts; }
  /// `dimension` values.
  std::span<float> vector(std::int64_t ticket);
  void finish(std::int64_t ticket);

  // The consumer.
  /// Waits for a finished row that may leave: until `timeout`, wake() or stop(). With order, it is
  /// the oldest, again and again until it is popped; else each is given once.
  std::optional<std::int64_t> wait_finished(std::chrono::milliseconds timeout);
  /// Ends a row that wait_finished() gave.
  void pop(std::int64_t ticket);
  std::int64_t num_popped() const { return num_popped_; }

  /// Ends a wait_finished(), now or the next.
  void wake();
  void stop();

 private:
  struct Entry {
    RowFacts facts;
    bool finished = false;  // guarded by mutex_
  };
  std::size_t place_of(std::int64_t ticket) const {
    return static_cast<std::size_t>(ticket) % entries_.size();
  }
  Entry& entry(std::int64_t ticket) { return entries_[place_of(ticket)]; }

  const std::int64_t dimension_;
  const bool ordered_;
  std::vector<Entry> entries_;
  tensor::AlignedBuffer<float> vectors_;  // [capacity, dimension]
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable finished_changed_;
  std::int64_t num_popped_ = 0;        // guarded by mutex_, as all that follow
  std::int64_t num_opened_ = 0;        // these three without order, where a ticket is a place
  std::vector<std::int64_t> free_;     // places
  std::deque<std::int64_t> finished_;  // tickets
  bool woken_ = false;
  bool stopped_ = false;
};

}  // namespace vecframe::exec
