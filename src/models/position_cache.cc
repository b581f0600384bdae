#include "models/position_cache.h"

#include <algorithm>

namespace vecframe::models {

PositionCache::PositionCache(std::size_t capacity, Make make)
    : capacity_(std::max<std::size_t>(1, capacity)), make_(std::move(make)) {}

PositionCache::Rows PositionCache::find(Grid grid) {
  const auto found = std::ranges::find(kept_, grid, [](const auto& entry) { return entry.first; });
  if (found == kept_.end()) return nullptr;
  std::rotate(kept_.begin(), found, found + 1);
  return kept_.front().second;
}

PositionCache::Rows PositionCache::at(Grid grid) {
  {
    const std::scoped_lock lock(mutex_);
    if (Rows rows = find(grid)) return rows;
  }
  // Outside the lock: other grids need not wait. Two threads may make the same rows; one is kept.
  const Rows made = make_(grid);
  const std::scoped_lock lock(mutex_);
  if (Rows rows = find(grid)) return rows;
  if (kept_.size() == capacity_) kept_.pop_back();
  kept_.insert(kept_.begin(), {grid, made});
  return made;
}

}  // namespace vecframe::models
