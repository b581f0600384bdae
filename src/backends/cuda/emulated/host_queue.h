// The host's queue. As on a GPU, work is done later than it is given: nothing runs before somebody
// waits for it, so that whoever does not wait, or changes memory too early, gets it wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace vecframe::backends::cuda {

using HostWork = std::function<void()>;

/// The device that the calling thread starts work on, as the CUDA runtime keeps it.
inline thread_local int host_device = 0;
/// Whether kernels refuse to be captured, as on a device that cannot.
inline thread_local bool host_refuses_capture = false;

class HostQueue {
 public:
  explicit HostQueue(int device = host_device) : device_(device) {}

  void run(HostWork work) {
    if (device_ != host_device) throw std::logic_error("work for a queue of another device");
    if (captured_ == nullptr) {
      waiting_.push_back(std::move(work));
      return;
    }
    if (host_refuses_capture) throw std::runtime_error("not while a queue is captured");
    captured_->push_back(std::move(work));
  }
  /// Until it is called with null, work goes into the list and does not run.
  void capture_into(std::vector<HostWork>* list) { captured_ = list; }

  /// How much work it was given so far.
  std::uint64_t given() const { return done_ + waiting_.size(); }
  /// Does it up to what given() was.
  void finish(std::uint64_t given) {
    while (done_ < given) {
      const HostWork work = std::move(waiting_.front());
      waiting_.pop_front();
      ++done_;
      work();
    }
  }
  void finish() { finish(given()); }

 private:
  const int device_;
  std::vector<HostWork>* captured_ = nullptr;
  std::deque<HostWork> waiting_;
  std::uint64_t done_ = 0;
};

}  // namespace vecframe::backends::cuda
