// Paths that the listing has found and no reader has taken yet.
//
// The listing runs ahead of the readers so that the number of rows is known early, but only by a
// bounded number of bytes: a listing may be longer than memory.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>

namespace vecframe::exec {

struct NamedRow {
  std::int64_t row = 0;  ///< position in the input
  std::string path;
};

class NameQueue {
 public:
  explicit NameQueue(std::int64_t capacity_bytes) : capacity_(capacity_bytes) {}

  /// Waits for room; false once stopped. A name larger than the capacity passes when it is alone.
  bool push(std::string path);
  /// No push() follows.
  void finish();
  /// The next row in order; nothing when all are taken and the listing is finished, or once
  /// stopped.
  std::optional<NamedRow> pop();
  void stop();

  struct Progress {
    std::int64_t listed = 0;
    bool done = false;  ///< `listed` is the number of rows of the input
  };
  Progress progress() const;

 private:
  const std::int64_t capacity_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> names_;  // guarded by mutex_, as all that follow
  std::int64_t bytes_ = 0;
  std::int64_t pushed_ = 0;
  std::int64_t popped_ = 0;
  bool finished_ = false;
  bool stopped_ = false;
};

}  // namespace vecframe::exec
