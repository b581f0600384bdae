// Copies of a model, one a device, and the streams that lanes run them on.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "compute/backend.h"
#include "compute/out_of_memory.h"

namespace vecframe::providers {

using Backends = std::vector<std::shared_ptr<compute::Backend>>;

/// The streams that keep a device busy, for more lanes than that. Thread-safe.
class StreamPool {
 public:
  using Make = std::function<std::unique_ptr<compute::Stream>()>;

  StreamPool(Make make, int capacity) : make_(std::move(make)), free_places_(capacity) {}

  /// Waits until there is one.
  std::unique_ptr<compute::Stream> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !idle_.empty() || free_places_ > 0; });
    if (!idle_.empty()) {
      auto stream = std::move(idle_.back());
      idle_.pop_back();
      return stream;
    }
    --free_places_;
    lock.unlock();
    try {
      return make_();
    } catch (...) {
      give_back(nullptr);
      throw;
    }
  }

  /// Null leaves its place to a new one.
  void give_back(std::unique_ptr<compute::Stream> stream) {
    {
      std::lock_guard lock(mutex_);
      if (stream == nullptr) {
        ++free_places_;
      } else {
        idle_.push_back(std::move(stream));
      }
    }
    changed_.notify_one();
  }

 private:
  const Make make_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<compute::Stream>> idle_;  // guarded by mutex_
  int free_places_;                                     // guarded by mutex_
};

template <class Model>
struct Replica {
  Replica(std::shared_ptr<compute::Backend> backend_, std::unique_ptr<Model> model_,
          std::int64_t step_, StreamPool::Make make_stream)
      : backend(std::move(backend_)),
        model(std::move(model_)),
        step(step_),
        streams(std::move(make_stream), backend->info().streams) {}

  bool shares_streams() const { return backend->info().streams > 0; }

  std::shared_ptr<compute::Backend> backend;
  std::unique_ptr<Model> model;
  /// The most rows that go through the model together; falls when the device runs out of memory.
  std::atomic<std::int64_t> step;
  StreamPool streams;
};

/// Rows to take together next, so that the rest goes in even steps: no row depends on the others,
/// and more than `step` gain nothing.
inline std::int64_t next_step(std::int64_t rows, std::int64_t step) {
  return rows / ((rows + step - 1) / step);
}

/// A stream of the pool for as long as this lives.
class BorrowedStream {
 public:
  explicit BorrowedStream(StreamPool& pool) : pool_(pool), stream_(pool.take()) {}
  ~BorrowedStream() {
    if (stream_ != nullptr) pool_.give_back(std::move(stream_));
  }
  BorrowedStream(const BorrowedStream&) = delete;
  BorrowedStream& operator=(const BorrowedStream&) = delete;

  compute::Stream& get() { return *stream_; }
  /// Gives the stream's memory back to the device and takes a new one.
  void renew() {
    stream_.reset();
    pool_.give_back(nullptr);
    stream_ = pool_.take();
  }

 private:
  StreamPool& pool_;
  std::unique_ptr<compute::Stream> stream_;
};

/// Runs `embed(stream, first, count)` over all rows, a step at a time, on a stream of the replica's
/// device. Where the device has no room for a step, it is halved for good, and the rows are tried
/// again; one row that does not fit is the caller's compute::OutOfMemory.
template <class Model, class Embed>
void embed_on_device(Replica<Model>& replica, std::int64_t rows, Embed embed) {
  BorrowedStream stream(replica.streams);
  std::int64_t first = 0;
  while (first < rows) {
    const std::int64_t count = next_step(rows - first, replica.step.load());
    try {
      embed(stream.get(), first, count);
      first += count;
    } catch (const compute::OutOfMemory&) {
      if (count == 1) throw;
      std::int64_t step = replica.step.load();
      while (step > count / 2 && !replica.step.compare_exchange_weak(step, count / 2)) {
      }
      stream.renew();
    }
  }
}

}  // namespace vecframe::providers
