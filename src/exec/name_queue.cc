#include "exec/name_queue.h"

#include <utility>

namespace vecframe::exec {
namespace {

std::int64_t cost_of(const std::string& path) {
  return static_cast<std::int64_t>(sizeof(std::string) + path.size());
}

}  // namespace

bool NameQueue::push(std::string path) {
  const std::int64_t cost = cost_of(path);
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || names_.empty() || bytes_ + cost <= capacity_; });
    if (stopped_) return false;
    names_.push_back(std::move(path));
    bytes_ += cost;
    ++pushed_;
  }
  changed_.notify_all();
  return true;
}

void NameQueue::finish() {
  {
    std::lock_guard lock(mutex_);
    finished_ = true;
  }
  changed_.notify_all();
}

std::optional<NamedRow> NameQueue::pop() {
  NamedRow result;
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stopped_ || finished_ || !names_.empty(); });
    if (stopped_ || names_.empty()) return std::nullopt;
    result = {popped_++, std::move(names_.front())};
    names_.pop_front();
    bytes_ -= cost_of(result.path);
  }
  changed_.notify_all();
  return result;
}

void NameQueue::stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  changed_.notify_all();
}

NameQueue::Progress NameQueue::progress() const {
  std::lock_guard lock(mutex_);
  return {pushed_, finished_};
}

}  // namespace vecframe::exec
