#include "exec/reorder_window.h"

#include <utility>

namespace vecframe::exec {

ReorderWindow::ReorderWindow(std::int64_t capacity, std::int64_t dimension)
    : dimension_(dimension),
      entries_(static_cast<std::size_t>(capacity)),
      vectors_(static_cast<std::size_t>(capacity * dimension)) {}

bool ReorderWindow::open(std::int64_t row, std::string path) {
  {
    std::unique_lock lock(mutex_);
    const auto capacity = static_cast<std::int64_t>(entries_.size());
    room_.wait(lock, [&] { return stopped_ || row < head_ + capacity; });
    if (stopped_) return false;
  }
  facts(row).path = std::move(path);
  return true;
}

std::span<float> ReorderWindow::vector(std::int64_t row) {
  const std::int64_t place = row % static_cast<std::int64_t>(entries_.size());
  return {vectors_.data() + place * dimension_, static_cast<std::size_t>(dimension_)};
}

void ReorderWindow::finish(std::int64_t row) {
  bool is_front = false;
  {
    std::lock_guard lock(mutex_);
    entry(row).finished = true;
    is_front = row == head_;
  }
  if (is_front) front_finished_.notify_one();
}

bool ReorderWindow::wait_front(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  front_finished_.wait_for(lock, timeout,
                           [&] { return stopped_ || woken_ || entry(head_).finished; });
  woken_ = false;
  return entry(head_).finished;
}

void ReorderWindow::pop() {
  {
    std::lock_guard lock(mutex_);
    entry(head_) = Entry{};
    ++head_;
  }
  room_.notify_all();
}

void ReorderWindow::wake() {
  {
    std::lock_guard lock(mutex_);
    woken_ = true;
  }
  front_finished_.notify_one();
}

void ReorderWindow::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  room_.notify_all();
  front_finished_.notify_all();
}

}  // namespace vecframe::exec
