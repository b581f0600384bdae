#include "exec/duplicates.h"

#include <algorithm>
#include <utility>

namespace vecframe::exec {

Duplicates::Duplicates(std::int64_t dimension, std::int64_t capacity_bytes)
    : capacity_(static_cast<std::size_t>(capacity_bytes / bytes_of_entry(dimension))) {}

Duplicates::Outcome Duplicates::enter(const Hash128& content, std::int64_t row,
                                      std::span<float> vector) {
  std::lock_guard lock(mutex_);
  if (const auto known = by_content_.find(content); known != by_content_.end()) {
    kept_.splice(kept_.begin(), kept_, known->second);
    std::copy(known->second->vector.begin(), known->second->vector.end(), vector.begin());
    return Outcome::kKnown;
  }
  const auto [place, is_first] = under_way_.try_emplace(content);
  if (is_first) return Outcome::kFirst;
  place->second.push_back(row);
  return Outcome::kFollows;
}

std::vector<std::int64_t> Duplicates::finish(const Hash128& content,
                                             std::span<const float> vector) {
  std::lock_guard lock(mutex_);
  if (capacity_ > 0) {
    if (kept_.size() == capacity_) {
      by_content_.erase(kept_.back().content);
      kept_.splice(kept_.begin(), kept_, std::prev(kept_.end()));
    } else {
      kept_.emplace_front();
    }
    kept_.front().content = content;
    kept_.front().vector.assign(vector.begin(), vector.end());
    by_content_[content] = kept_.begin();
  }
  return take_followers(content);
}

std::vector<std::int64_t> Duplicates::fail(const Hash128& content) {
  std::lock_guard lock(mutex_);
  return take_followers(content);
}

std::vector<std::int64_t> Duplicates::take_followers(const Hash128& content) {
  auto node = under_way_.extract(content);
  return node.empty() ? std::vector<std::int64_t>() : std::move(node.mapped());
}

}  // namespace vecframe::exec
