// Worker threads that take chunks of a source one after the other and hand them on in that order,
// or as they are done.
//
// At most `window` chunks are in flight, so neither side runs far ahead of the other.
#pragma once

#include <vecframe/error.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
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

  OrderedWorkers(std::int64_t window, bool ordered, Fill fill)
      : fill_(std::move(fill)), ordered_(ordered), places_(static_cast<std::size_t>(window)) {
    for (Place& place : places_) free_.push_back(&place);
  }
  ~OrderedWorkers() {
    stop();
    for (std::thread& thread : threads_) thread.join();
  }

  /// `make_work` is called once on each thread, `leave` when a thread has no more work, and gets
  /// none. Throws RunError.
  void start(
      int threads, const std::function<Work()>& make_work,
      const std::function<void()>& leave = [] {}) {
    try {
      for (int i = 0; i < threads; ++i) {
        threads_.emplace_back([this, make_work, leave] {
          run(make_work);
          leave();
        });
      }
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

  /// Waits for the oldest chunk, or without order for any, to be done: until `timeout`, then null.
  /// Throws what ended a worker.
  Chunk* wait_done(std::chrono::milliseconds timeout) {
    std::unique_lock lock(mutex_);
    Place* done = nullptr;
    changed_.wait_for(lock, timeout, [&] {
      done = find_done();
      return failure_ || all_taken() || done != nullptr;
    });
    if (failure_) std::rethrow_exception(failure_);
    return done == nullptr ? nullptr : &done->chunk;
  }
  /// Ends the chunk that wait_done() gave.
  void pop(Chunk* chunk) {
    std::lock_guard lock(mutex_);
    const auto found = std::find_if(in_flight_.begin(), in_flight_.end(),
                                    [&](const Place* place) { return &place->chunk == chunk; });
    **found = Place();
    free_.push_back(*found);
    in_flight_.erase(found);
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
  // Both with mutex_ held.
  bool all_taken() const { return ended_ && in_flight_.empty(); }
  Place* find_done() const {
    for (Place* place : in_flight_) {
      if (place->done) return place;
      if (ordered_) break;
    }
    return nullptr;
  }

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
      changed_.wait(lock, [&] { return stopped_ || ended_ || !free_.empty(); });
      if (stopped_ || ended_) return nullptr;
      place = free_.back();
    }
    const bool filled = fill_(place->chunk);
    std::lock_guard lock(mutex_);
    if (filled) {
      std::erase(free_, place);
      in_flight_.push_back(place);
    } else {
      ended_ = true;
    }
    changed_.notify_all();
    return filled ? place : nullptr;
  }

  const Fill fill_;
  const bool ordered_;
  std::mutex source_mutex_;  // taken before mutex_
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Place> places_;     // `done` is guarded by mutex_, as all that follow
  std::vector<Place*> free_;      // one of them is being filled
  std::deque<Place*> in_flight_;  // the oldest first
  bool ended_ = false;
  bool stopped_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;  // of the caller's alone
};

}  // namespace vecframe::exec
