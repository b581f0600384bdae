// What the sink of a run has to know of each row, in the order in which the rows were planned.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <utility>

#include "job/shard.h"

namespace vecframe::job {

/// Between the thread that plans and the one that writes. As long as the rows in flight, which the
/// executor bounds.
class PlannedRows {
 public:
  struct Facts {
    InputKey key;
    std::shared_ptr<const Shard> shard;
    bool ends_shard = false;
  };

  void push(Facts facts) {
    std::lock_guard lock(mutex_);
    rows_.push_back(std::move(facts));
  }
  /// Of a row that was pushed.
  Facts pop() {
    std::lock_guard lock(mutex_);
    Facts facts = std::move(rows_.front());
    rows_.pop_front();
    return facts;
  }

 private:
  std::mutex mutex_;
  std::deque<Facts> rows_;  // guarded by mutex_
};

}  // namespace vecframe::job
