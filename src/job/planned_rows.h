// What the sink of a run has to know of each row, from when it is planned.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "job/shard.h"

namespace vecframe::job {

/// Between the thread that plans and the one that writes. As long as the rows in flight, which the
/// executor bounds. Rows are known by their number, in the order in which they were planned.
class PlannedRows {
 public:
  struct Facts {
    InputKey key;
    std::shared_ptr<const Shard> shard;
    bool ends_shard = false;
  };

  void push(Facts facts) {
    std::lock_guard lock(mutex_);
    rows_.emplace_hint(rows_.end(), num_planned_++, std::move(facts));
  }
  /// Of a row that was pushed and not taken.
  Facts take(std::int64_t row) {
    std::lock_guard lock(mutex_);
    return std::move(rows_.extract(row).mapped());
  }
  /// Of the oldest one.
  Facts take_oldest() {
    std::lock_guard lock(mutex_);
    return std::move(rows_.extract(rows_.begin()).mapped());
  }
  /// Whether a row that was not taken is of the same shard as the oldest of those. Shards are
  /// planned one after the other.
  bool is_of_oldest_shard(std::int64_t row) const {
    std::lock_guard lock(mutex_);
    return rows_.at(row).shard == rows_.begin()->second.shard;
  }
  /// Whether rows of the shard, before which all others were taken, are not taken yet.
  bool has_rows_of(const Shard* shard) const {
    std::lock_guard lock(mutex_);
    return !rows_.empty() && rows_.begin()->second.shard.get() == shard;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::int64_t, Facts> rows_;  // guarded by mutex_, as the next
  std::int64_t num_planned_ = 0;
};

}  // namespace vecframe::job
