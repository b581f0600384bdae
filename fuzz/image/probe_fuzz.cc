// Any bytes: probe() answers, and what it answers makes sense.
// Seeds: a folder of pictures, for example the decode corpus that the tests read.
#include <cstddef>
#include <cstdint>
#include <span>

#include "image/probe.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vecframe::image;
  const DecodeLimits limits;
  const auto info = probe({reinterpret_cast<const std::byte*>(data), size}, limits);
  if (!info.ok()) return 0;
  const std::uint64_t pixels = std::uint64_t{info->size.width} * info->size.height;
  if (pixels == 0 || pixels > limits.max_pixels) __builtin_trap();
  if (info->orientation < 1 || info->orientation > 8) __builtin_trap();
  if (info->decode_bytes < pixels * static_cast<std::uint64_t>(bytes_per_pixel(info->mode))) {
    __builtin_trap();
  }
  return 0;
}
