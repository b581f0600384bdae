// The scratch memory of a stream: a stack of blocks that becomes one block of the size needed.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "tensor/aligned_buffer.h"

namespace vecframe::compute {

/// Hands out aligned float32 ranges until reset(). A first round may take several blocks from the
/// system; reset() merges them, so that a later round of the same size takes none.
class Workspace {
 public:
  float* allocate(std::int64_t count) {
    constexpr std::size_t kLine = tensor::kAlignment / sizeof(float);
    const std::size_t need =
        (static_cast<std::size_t>(std::max<std::int64_t>(count, 1)) + kLine - 1) / kLine * kLine;
    if (blocks_.empty() || used_ + need > blocks_.back().size()) {
      blocks_.emplace_back(need);
      used_ = 0;
    }
    float* range = blocks_.back().data() + used_;
    used_ += need;
    return range;
  }

  void reset() {
    used_ = 0;
    if (blocks_.size() <= 1) return;
    const std::size_t total = capacity();
    blocks_.clear();
    blocks_.emplace_back(total);
  }

  /// Values held, used or not.
  std::size_t capacity() const {
    std::size_t total = 0;
    for (const auto& block : blocks_) total += block.size();
    return total;
  }

 private:
  std::vector<tensor::AlignedBuffer<float>> blocks_;
  std::size_t used_ = 0;  // of the last block
};

}  // namespace vecframe::compute
