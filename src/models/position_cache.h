// Position embeddings of the grids that pictures of many shapes are cut into: photographs of a
// collection share a few, so the last ones are kept.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "compute/backend.h"
#include "models/position_embedding.h"

namespace vecframe::models {

/// Thread-safe. The least recently used grid makes room for a new one.
class PositionCache {
 public:
  using Rows = std::shared_ptr<const compute::Vector>;
  using Make = std::function<std::unique_ptr<compute::Vector>(Grid)>;

  /// `make` is called from any thread, and for the same grid always makes the same rows. At least
  /// one grid is kept.
  PositionCache(std::size_t capacity, Make make);

  /// Stays valid for whoever holds it.
  Rows at(Grid grid);

 private:
  /// The rows of `grid`, moved to the front; null if they are not here.
  Rows find(Grid grid);

  const std::size_t capacity_;
  const Make make_;
  std::mutex mutex_;
  std::vector<std::pair<Grid, Rows>> kept_;  // the last used first
};

}  // namespace vecframe::models
