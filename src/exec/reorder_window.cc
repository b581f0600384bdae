#include "exec/reorder_window.h"

#include <utility>

namespace vecframe::exec {

ReorderWindow::ReorderWindow(std::int64_t capacity, std::int64_t dimension, bool ordered)
    : dimension_(dimension),
      ordered_(ordered),
      entries_(static_cast<std::size_t>(capacity)),
      vectors_(static_cast<std::size_t>(capacity * dimension)) {
  if (ordered) return;
  for (std::int64_t place = 0; place < capacity; ++place) free_.push_back(place);
}

std::optional<std::int64_t> ReorderWindow::open(std::int64_t row, std::string path) {
  std::int64_t ticket = row;
  {
    std::unique_lock lock(mutex_);
    const auto capacity = static_cast<std::int64_t>(entries_.size());
    // Without order too, rows come in by their order: a later one could take the last place and
    // then, for a consumer that wants the earlier one first, keep it.
    room_.wait(lock, [&] {
      return stopped_ ||
             (ordered_ ? row < num_popped_ + capacity : row == num_opened_ && !free_.empty());
    });
    if (stopped_) return std::nullopt;
    if (!ordered_) {
      ++num_opened_;
      ticket = free_.back();
      free_.pop_back();
    }
  }
  if (!ordered_) room_.notify_all();
  facts(ticket).row = row;
  facts(ticket).path = std::move(path);
  return ticket;
}

std::span<float> ReorderWindow::vector(std::int64_t ticket) {
  return {vectors_.data() + place_of(ticket) * static_cast<std::size_t>(dimension_),
          static_cast<std::size_t>(dimension_)};
}

void ReorderWindow::finish(std::int64_t ticket) {
  bool may_leave = true;
  {
    std::lock_guard lock(mutex_);
    if (ordered_) {
      entry(ticket).finished = true;
      may_leave = ticket == num_popped_;
    } else {
      finished_.push_back(ticket);
    }
  }
  if (may_leave) finished_changed_.notify_one();
}

std::optional<std::int64_t> ReorderWindow::wait_finished(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  const auto has_finished = [&] {
    return ordered_ ? entry(num_popped_).finished : !finished_.empty();
  };
  finished_changed_.wait_for(lock, timeout, [&] { return stopped_ || woken_ || has_finished(); });
  woken_ = false;
  if (!has_finished()) return std::nullopt;
  if (ordered_) return num_popped_;
  const std::int64_t ticket = finished_.front();
  finished_.pop_front();
  return ticket;
}

void ReorderWindow::pop(std::int64_t ticket) {
  {
    std::lock_guard lock(mutex_);
    entry(ticket) = Entry{};
    if (!ordered_) free_.push_back(ticket);
    ++num_popped_;
  }
  room_.notify_all();
}

void ReorderWindow::wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  finished_changed_.notify_one();
}

void ReorderWindow::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  room_.notify_all();
  finished_changed_.notify_all();
}

}  // namespace vecframe::exec
