// The scratch memory of a stream on the device: a stack of blocks that becomes one block.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "backends/cuda/runtime.h"

namespace vecframe::backends::cuda {

class DeviceWorkspace {
 public:
  explicit DeviceWorkspace(std::shared_ptr<Runtime> runtime) : runtime_(std::move(runtime)) {}

  /// Throws compute::OutOfMemory.
  float* allocate(std::int64_t count) {
    const std::size_t need =
        (std::max<std::size_t>(static_cast<std::size_t>(count), 1) * sizeof(float) + kAlignment -
         1) /
        kAlignment * kAlignment;
    if (blocks_.empty() || used_ + need > blocks_.back().bytes()) {
      blocks_.emplace_back(runtime_, need);
      used_ = 0;
    }
    std::byte* range = static_cast<std::byte*>(blocks_.back().data()) + used_;
    used_ += need;
    return reinterpret_cast<float*>(range);
  }

  /// Nothing that was handed out is read any more.
  void reset() {
    used_ = 0;
    if (blocks_.size() <= 1) return;
    std::size_t total = 0;
    for (const DeviceMemory& block : blocks_) total += block.bytes();
    blocks_.clear();
    blocks_.emplace_back(runtime_, total);
  }

 private:
  static constexpr std::size_t kAlignment = 256;

  std::shared_ptr<Runtime> runtime_;
  std::vector<DeviceMemory> blocks_;
  std::size_t used_ = 0;  // of the last block
};

}  // namespace vecframe::backends::cuda
