// Bytes that the whole program, C libraries included, holds from malloc.
#pragma once

#include <cstdint>

namespace vecframe::image {

/// False under a sanitizer, which brings a malloc of its own.
bool can_meter_allocations();

/// Measures from its construction on. One at a time, and one thread.
class AllocationMeter {
 public:
  AllocationMeter();
  /// The most that was held at once, beyond what was held at the start.
  std::int64_t peak() const;

 private:
  std::int64_t start_;
};

}  // namespace vecframe::image
