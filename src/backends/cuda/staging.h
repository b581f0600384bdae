// Host memory on its way to the device and back, through pinned memory.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <vector>

#include "backends/cuda/runtime.h"

namespace vecframe::backends::cuda {

/// A ring of pinned parts: while one is on its way, the host fills the next. What was staged has an
/// address on the device until clear(); the same sizes in the same order get the same addresses.
class Staging {
 public:
  explicit Staging(std::shared_ptr<Runtime> runtime);

  /// Starts a copy of host memory, which may change after the call. Throws compute::OutOfMemory.
  const void* stage(const void* from, std::size_t bytes);
  /// Work in `queue` from here on waits for all that was staged.
  void join(QueueHandle queue);
  /// Nothing of what was staged is read any more.
  void clear();
  /// Copies rows out behind the work in `queue`, and returns when they are there.
  void read(void* to, const void* from, std::size_t row_bytes, std::size_t pitch_bytes,
            std::size_t rows, QueueHandle queue);

 private:
  static constexpr std::size_t kPartBytes = std::size_t{2} << 20;
  struct Part {
    explicit Part(const std::shared_ptr<Runtime>& runtime)
        : memory(runtime, kPartBytes), copied(runtime) {}
    PinnedMemory memory;
    Event copied;  // what was last put there
  };

  std::byte* reserve(std::size_t bytes);

  std::shared_ptr<Runtime> runtime_;
  std::array<Part, 2> parts_;
  std::size_t next_part_ = 0;
  std::vector<DeviceMemory> blocks_;
  std::size_t used_ = 0;  // of the last block
  Event all_copied_;
  Queue queue_;  // of copies; the first that goes
};

}  // namespace vecframe::backends::cuda
