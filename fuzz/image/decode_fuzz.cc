// Any bytes: the whole way from a file to upright RGB pixels, in every format, and of a JPEG at
// every scale it can be reduced to; and rows that are resized as they are decoded.
// Seeds: a folder of pictures, for example the decode corpus that the tests read. The limit of
// pixels keeps one input fast; -max_len bounds the rest.
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "image/convert.h"
#include "image/decode.h"
#include "image/decode_rows.h"
#include "image/orientation.h"
#include "image/prepare.h"
#include "image/prepare_rows.h"
#include "image/reduce.h"

namespace {

using namespace vecframe::image;

// Whether the file decodes.
bool decode_upright(std::span<const std::byte> bytes, const ImageInfo& info) {
  auto image = decode(bytes, info);
  if (!image.ok()) return false;
  if (image->mode() != info.mode || image->size() != info.decoded_size()) __builtin_trap();
  const Image rgb =
      apply_orientation(convert(std::move(image).value(), Mode::kRGB), info.orientation);
  // Reads every pixel, so that a sanitizer sees one that was never written.
  std::uint32_t sum = 0;
  for (const std::uint8_t byte : rgb.pixels()) sum += byte;
  volatile std::uint32_t sink = sum;
  (void)sink;
  return true;
}

// Resizing the rows as they come gives what resizing the whole picture gives, or both fail.
void compare_rows(std::span<const std::byte> bytes, const ImageInfo& info) {
  PrepareSpec spec;
  spec.resize = ResizeRule::kExact;
  spec.resize_height = spec.resize_width = 5;
  if (info.mode != Mode::kRGB || !decodes_by_rows(info) || !prepares_rows(spec, info.size)) return;
  std::vector<std::uint8_t> by_rows(spec.slot_bytes()), at_once(spec.slot_bytes());
  PrepareRows rows(spec, info.size, by_rows);
  const bool decoded = decode_rows(bytes, info, rows).ok();
  const auto image = decode(bytes, info);
  if (decoded != image.ok()) __builtin_trap();
  if (decoded && (!prepare(spec, *image, at_once).ok() || by_rows != at_once)) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::byte> bytes{reinterpret_cast<const std::byte*>(data), size};
  const auto info = probe(bytes, {.max_pixels = std::uint64_t{1} << 18});
  if (!info.ok()) return 0;
  const bool whole = decode_upright(bytes, *info);
  for (const double shrink : {4.0, 8.0, 16.0}) {
    const ImageInfo small = reduced(*info, shrink);
    if (small.eighths != 8 && decode_upright(bytes, small) != whole) __builtin_trap();
  }
  compare_rows(bytes, *info);
  return 0;
}
