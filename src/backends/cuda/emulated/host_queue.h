// The host's queue: work runs at once, or is kept for a graph.
#pragma once

#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace vecframe::backends::cuda {

using HostWork = std::function<void()>;

/// The device that the calling thread starts work on, as the CUDA runtime keeps it.
inline thread_local int host_device = 0;

class HostQueue {
 public:
  explicit HostQueue(int device = host_device) : device_(device) {}

  void run(HostWork work) {
    if (device_ != host_device) throw std::logic_error("work for a queue of another device");
    if (captured_ != nullptr) {
      captured_->push_back(std::move(work));
    } else {
      work();
    }
  }
  /// Until it is called with null, work goes into the list and does not run.
  void capture_into(std::vector<HostWork>* list) { captured_ = list; }

 private:
  const int device_;
  std::vector<HostWork>* captured_ = nullptr;
};

}  // namespace vecframe::backends::cuda
