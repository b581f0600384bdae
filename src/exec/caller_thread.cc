#include "exec/caller_thread.h"

#include <algorithm>
#include <utility>

namespace vecframe::exec {

CallerThread::CallerThread(RowDescriptor descriptor, std::shared_ptr<std::mutex> making)
    : descriptor_(std::move(descriptor)), making_(std::move(making)), thread_([this] { run(); }) {}

CallerThread::~CallerThread() {
  stop();
  {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void CallerThread::begin(Made made, Work work) {
  {
    std::lock_guard lock(mutex_);
    made_ = std::move(made);
    work_ = std::move(work);
  }
  changed_.notify_all();
}

void CallerThread::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !work_; });
}

std::exception_ptr CallerThread::make() {
  if (caller_ != nullptr) return nullptr;
  std::lock_guard one_by_one(*making_);
  if (stop_.requested()) return nullptr;
  try {
    caller_ = make_caller(descriptor_, stop_);
    return nullptr;
  } catch (...) {
    return std::current_exception();
  }
}

void CallerThread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ended_ || work_; });
    if (!work_) break;
    lock.unlock();
    made_(make());
    if (caller_ != nullptr) work_(*caller_);
    lock.lock();
    work_ = nullptr;
    made_ = nullptr;
    changed_.notify_all();
  }
  lock.unlock();
  caller_.reset();  // on the thread that made it
}

std::unique_ptr<CallerThread> CallersOfPlan::take(const RowDescriptor& descriptor) {
  {
    std::lock_guard lock(mutex_);
    const auto found = std::find_if(kept_.begin(), kept_.end(), [&](const auto& caller) {
      return caller->descriptor() == descriptor;
    });
    if (found != kept_.end()) {
      std::unique_ptr<CallerThread> caller = std::move(*found);
      kept_.erase(found);
      return caller;
    }
  }
  return std::make_unique<CallerThread>(descriptor, making_);
}

void CallersOfPlan::keep(std::unique_ptr<CallerThread> caller) {
  std::lock_guard lock(mutex_);
  kept_.push_back(std::move(caller));
}

}  // namespace vecframe::exec
