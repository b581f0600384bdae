// Any bytes: the whole way from a file to upright RGB pixels, in every format.
// Seeds: a folder of pictures, for example the decode corpus that the tests read. The limit of
// pixels keeps one input fast; -max_len bounds the rest.
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "image/convert.h"
#include "image/decode.h"
#include "image/orientation.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vecframe::image;
  const std::span<const std::byte> bytes{reinterpret_cast<const std::byte*>(data), size};
  const auto info = probe(bytes, {.max_pixels = std::uint64_t{1} << 18});
  if (!info.ok()) return 0;
  auto image = decode(bytes, *info);
  if (!image.ok()) return 0;
  if (image->mode() != info->mode || image->size() != info->size) __builtin_trap();
  const Image rgb =
      apply_orientation(convert(std::move(image).value(), Mode::kRGB), info->orientation);
  // Reads every pixel, so that a sanitizer sees one that was never written.
  std::uint32_t sum = 0;
  for (const std::uint8_t byte : rgb.pixels()) sum += byte;
  volatile std::uint32_t sink = sum;
  (void)sink;
  return 0;
}
