// How much of the budget encoded files may hold, so that decoding can always get the rest.
//
// A row holds its part from before it is read until its encoded bytes are freed. Ordinary rows
// share the capacity. A row that would not leave the others their due - a huge file, or a small
// file of a huge picture - is let in alone: it waits until nothing else is held, and nothing else
// enters until it is done. So every picture that fits into the budget by itself is embedded, and
// one that does not fit is known before it is read.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

namespace vecframe::exec {

class EncodedShare {
 public:
  explicit EncodedShare(std::int64_t capacity) : capacity_(capacity) {}

  class [[nodiscard]] Hold {
   public:
    Hold() = default;
    Hold(Hold&& other) noexcept
        : share_(std::exchange(other.share_, nullptr)), bytes_(other.bytes_) {}
    Hold& operator=(Hold&& other) noexcept;
    ~Hold() { release(); }
    explicit operator bool() const { return share_ != nullptr; }
    void release();

   private:
    friend class EncodedShare;
    Hold(EncodedShare* share, std::int64_t bytes) : share_(share), bytes_(bytes) {}
    EncodedShare* share_ = nullptr;
    std::int64_t bytes_ = 0;
  };

  /// Waits until `bytes`, at most capacity(), are free. Empty once stopped.
  Hold take(std::int64_t bytes);
  /// Waits until nothing is held, and keeps others out until released. Goes before waiting take()s,
  /// which could otherwise starve it. Empty once stopped.
  Hold take_alone(std::int64_t bytes);
  void stop();

  std::int64_t capacity() const { return capacity_; }

 private:
  void give_back(std::int64_t bytes);

  const std::int64_t capacity_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t held_ = 0;     // guarded by mutex_, as all that follow
  std::int64_t holders_ = 0;  // a row may hold 0 bytes
  std::int64_t waiting_alone_ = 0;
  bool alone_ = false;
  bool stopped_ = false;
};

}  // namespace vecframe::exec
