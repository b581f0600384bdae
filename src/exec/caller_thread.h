// Embedders of providers, each on a thread of its own that makes it and calls it. A plan that runs
// shard by shard keeps them from one shard to the next: making one may mean loading a model.
#pragma once

#include <vecframe/run.h>

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "exec/row_caller.h"

namespace vecframe::exec {

class CallerThread {
 public:
  /// With null, or with what making the embedder threw.
  using Made = std::function<void(std::exception_ptr)>;
  using Work = std::function<void(RowCaller&)>;

  /// `making` is locked while the embedder is made: loads of the same model side by side would hold
  /// it several times, and some libraries race. Throws std::system_error.
  CallerThread(RowDescriptor descriptor, std::shared_ptr<std::mutex> making);
  CallerThread(const CallerThread&) = delete;
  CallerThread& operator=(const CallerThread&) = delete;
  /// Asks the embedder to stop, and waits for it.
  ~CallerThread();

  /// Has the thread make its embedder, unless it has it, tell `made`, and do the work, unless there
  /// is no embedder. None may be under way.
  void begin(Made made, Work work);
  /// Asks the embedder to stop: it is of no use afterwards.
  void stop() { stop_.request(); }
  /// Until nothing is under way.
  void wait();
  const RowDescriptor& descriptor() const { return descriptor_; }

 private:
  void run();
  std::exception_ptr make();

  const RowDescriptor descriptor_;
  const std::shared_ptr<std::mutex> making_;
  StopSource stop_;
  std::unique_ptr<RowCaller> caller_;  // of the thread
  std::mutex mutex_;
  std::condition_variable changed_;
  Made made_;           // guarded by mutex_
  Work work_;           // guarded by mutex_; null: nothing is under way
  bool ended_ = false;  // guarded by mutex_
  std::thread thread_;
};

/// Those that wait for their next use. Thread-safe.
class CallersOfPlan {
 public:
  /// One that was kept, or a new one.
  std::unique_ptr<CallerThread> take(const RowDescriptor& descriptor);
  /// Nothing of it is under way, and it was not asked to stop.
  void keep(std::unique_ptr<CallerThread> caller);

 private:
  const std::shared_ptr<std::mutex> making_ = std::make_shared<std::mutex>();
  std::mutex mutex_;
  std::vector<std::unique_ptr<CallerThread>> kept_;  // guarded by mutex_
};

}  // namespace vecframe::exec
