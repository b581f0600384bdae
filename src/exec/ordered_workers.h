// Worker threads that take chunks of a source one after the other and hand them on in that order.
//
// At most `window` chunks are in flight, so neither side runs far ahead of the other.
#pragma once

#include <vecframe/error.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace vecframe::exec {

template <class Chunk>
class OrderedWorkers {
 public:
  /// Fills an empty chunk from the source; false at its end, when the chunk is left as it was. One
  /// thread at a time.
  using Fill = std::function<bool(Chunk&)>;
  /// Works on a chunk; called from one thread only.
  using Work = std::function<void(Chunk&)>;

  OrderedWorkers(std::int64_t window, Fill fill)
      : fill_(std::move(fill)), chunks_(static_cast<std::size_t>(window)) {}
  ~OrderedWorkers() {
    stop();
    for (std::thread& thread : threads_) thread.join();
  }

  /// `make_work` is called once on each thread. Throws RunError.
  void start(int threads, const std::function<Work()>& make_work) {
    try {
      for (int i = 0; i < threads; ++i)
        threads_.emplace_back([this, make_work] { run(make_work); });
    } catch (const std::system_error& error) {
      throw RunError("cannot start " + std::to_string(threads) +
                     " threads: " + std::string(error.what()));
    }
  }

  /// No chunk is begun after this.
  void stop() {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }
  bool stopped() {
    std::lock_guard lock(mutex_);
    return stopped_;
  }

  /// Waits for the oldest chunk to be done: until `timeout`, then null. Throws what ended a worker.
  Chunk* wait_front(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, timeout, [&] { return failure_ || all_taken() || front_is_done(); });
    if (failure_) std::rethrow_exception(failure_);
    return front_is_done() ? &at(head_).chunk : nullptr;
  }
  /// Ends the oldest chunk, which is done.
  void pop() {
    std::lock_guard lock(mutex_);
    at(head_).chunk = Chunk();
    at(head_).done = false;
    ++head_;
    changed_.notify_all();
  }
  /// The source has ended and every chunk was popped.
  bool finished() {
    std::lock_guard lock(mutex_);
    return all_taken();
  }

 private:
  struct Place {
    Chunk chunk;  // of one worker until it is done, then of the consumer
    bool done = false;
  };
  Place& at(std::int64_t index) {
    return chunks_[static_cast<std::size_t>(index % static_cast<std::int64_t>(chunks_.size()))];
  }
  // Both with mutex_ held.
  bool all_taken() const { return ended_ && head_ == next_; }
  bool front_is_done() { return head_ < next_ && at(head_).done; }

  void run(const std::function<Work()>& make_work) {
    try {
      const Work work = make_work();
      while (Place* place = take()) {
        work(place->chunk);
        std::lock_guard lock(mutex_);
        place->done = true;
        changed_.notify_all();
      }
    } catch (...) {
      std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      stopped_ = true;
      changed_.notify_all();
    }
  }

  Place* take() {
    std::lock_guard source_lock(source_mutex_);
    Place* place = nullptr;
    {
      std::unique_lock lock(mutex_);
      const auto room = static_cast<std::int64_t>(chunks_.size());
      changed_.wait(lock, [&] { return stopped_ || ended_ || next_ - head_ < room; });
      if (stopped_ || ended_) return nullptr;
      place = &at(next_);
    }
    const bool filled = fill_(place->chunk);
    std::lock_guard lock(mutex_);
    if (filled) {
      ++next_;
    } else {
      ended_ = true;
    }
    changed_.notify_all();
    return filled ? place : nullptr;
  }

  const Fill fill_;
  std::mutex source_mutex_;  // taken before mutex_
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Place> chunks_;  // a ring
  std::int64_t head_ = 0;      // the oldest chunk; guarded by mutex_, as all that follow
  std::int64_t next_ = 0;      // the chunk to be filled next
  bool ended_ = false;
  bool stopped_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;  // of the caller's alone
};

}  // namespace vecframe::exec
