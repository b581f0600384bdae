#include "exec/work_queue.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace vecframe::exec {
namespace {

// How long an idle worker waits for rows that would make a batch fuller. Long against the time to
// read a small file, short against what a person notices.
constexpr std::chrono::milliseconds kGatherTime{20};

}  // namespace

void EncodedRow::free_bytes() {
  bytes = {};
  credit.release();
  hold.release();
}

void WorkQueue::push(EncodedRow row) {
  {
    std::lock_guard lock(mutex_);
    rows_.push_back(std::move(row));
  }
  changed_.notify_one();
}

void WorkQueue::close() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

Task WorkQueue::next() {
  std::unique_lock lock(mutex_);
  bool waited = false;
  for (;;) {
    if (stopped_) return {};
    if (!ready_.empty() && has_lane()) return claim_ready();
    if (may_prepare()) {
      EncodedRow row = std::move(rows_.front());
      rows_.pop_front();
      ++num_preparing_;
      ++num_promised_;
      return row;
    }
    if ((drained() || waited) && has_lane()) {
      if (PackedBatch* batch = pool_.take_partial(num_promised_)) {
        ready_.push_back({batch, 0});
        continue;
      }
    }
    if (drained() && ready_.empty() && !pool_.has_partial(0)) return {};
    ++num_idle_;
    if (has_lane() && pool_.has_partial(num_promised_)) {
      waited = changed_.wait_for(lock, kGatherTime) == std::cv_status::timeout;
    } else {
      changed_.wait(lock);
      waited = false;
    }
    --num_idle_;
  }
}

// When no more rows come, workers without work take their part of a batch.
EmbedTask WorkQueue::claim_ready() {
  Ready& ready = ready_.front();
  const std::int64_t left = ready.batch->num_rows() - ready.num_claimed;
  std::int64_t parts = 1;
  if (closed_ && rows_.empty()) {
    const std::int64_t workers =
        std::min<std::int64_t>(num_idle_ + 1, concurrency_.lanes - num_embedding_);
    parts = std::max<std::int64_t>(1, workers / static_cast<std::int64_t>(ready_.size()));
  }
  EmbedTask task{ready.batch, ready.num_claimed, (left + parts - 1) / parts};
  if (task.first == 0) embedding_.emplace_back(task.batch, task.batch->num_rows());
  ready.num_claimed += task.count;
  ++num_embedding_;
  if (task.count == left) ready_.pop_front();
  if (!ready_.empty()) {
    changed_.notify_one();
  } else if (drained()) {
    changed_.notify_all();  // those that wait for a lane have nothing to wait for any more
  }
  return task;
}

Slot WorkQueue::reserve_slot() {
  std::lock_guard lock(mutex_);
  Slot slot = pool_.reserve();
  if (slot.batch == nullptr) throw std::logic_error("exec: a slot was promised that is not there");
  --num_promised_;
  return slot;
}

void WorkQueue::commit_slot(const Slot& slot, std::int64_t row) {
  std::lock_guard lock(mutex_);
  if (PackedBatch* batch = pool_.commit(slot, row)) ready_.push_back({batch, 0});
  end_preparing();
}

void WorkQueue::abandon_slot(const Slot& slot) {
  std::lock_guard lock(mutex_);
  pool_.give_back(slot);
  end_preparing();
}

void WorkQueue::end_preparing() {
  --num_preparing_;
  if (!all_can_work_ || (closed_ && num_preparing_ == 0)) {
    changed_.notify_all();  // idle workers may leave, or share what is left
  } else {
    changed_.notify_one();  // one of them may have to wait for a partial batch from now on
  }
}

void WorkQueue::finish_embed(const EmbedTask& task) {
  std::lock_guard lock(mutex_);
  const auto entry = std::find_if(embedding_.begin(), embedding_.end(),
                                  [&](const auto& each) { return each.first == task.batch; });
  entry->second -= task.count;
  --num_embedding_;
  if (entry->second == 0) {
    embedding_.erase(entry);
    pool_.recycle(task.batch, sizer_.size());
  }
  if (!all_can_work_) changed_.notify_all();  // for the lane, or for the slots
}

void WorkQueue::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

}  // namespace vecframe::exec
