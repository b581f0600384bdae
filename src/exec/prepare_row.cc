#include "exec/prepare_row.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "image/convert.h"
#include "image/decode.h"
#include "image/decode_rows.h"
#include "image/orientation.h"
#include "image/prepare_rows.h"

namespace vecframe::exec {
namespace {

using image::Mode;

bool must_turn(const image::ImageInfo& info, bool apply_orientation) {
  return apply_orientation && info.orientation != 1;
}

// Headers claim sizes up to 2^32 squared times 8 bytes, so sums stop at the largest number.
std::uint64_t add(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b
             ? std::numeric_limits<std::uint64_t>::max()
             : a + b;
}

RowError no_memory() {
  return {Stage::kDecode, ErrorCode::kOverBudget,
          "the operating system refused the memory for this picture"};
}

// Whether the rows are resized as they are decoded.
bool by_rows(const image::ImageInfo& info, const image::PrepareSpec& spec, bool apply_orientation) {
  return info.mode == Mode::kRGB && !must_turn(info, apply_orientation) &&
         image::decodes_by_rows(info) &&
         image::prepares_rows(spec, info.decoded_size(), image::whole_of(info, apply_orientation));
}

}  // namespace

std::int64_t working_bytes(const image::ImageInfo& info, const image::PrepareSpec& spec,
                           bool apply_orientation) {
  const bool turn = must_turn(info, apply_orientation);
  const image::Size size = info.decoded_size();
  const std::uint64_t num_pixels = std::uint64_t{size.width} * size.height;
  const std::uint64_t decoded = num_pixels * static_cast<unsigned>(bytes_per_pixel(info.mode));
  const std::uint64_t rgb = num_pixels * 3;
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / 2;
  const image::Whole whole = image::whole_of(info, apply_orientation);
  if (by_rows(info, spec, apply_orientation)) {
    const std::uint64_t rest = info.decode_bytes - std::min(info.decode_bytes, decoded);
    return static_cast<std::int64_t>(
        std::min(add(rest, image::prepare_rows_bytes(spec, size, whole)), kMost));
  }
  const image::Size upright = turn ? image::oriented_size(size, info.orientation) : size;

  // One step after the other; each holds its input and its output.
  std::uint64_t peak = std::max(info.decode_bytes, decoded);
  if (turn) peak = std::max(peak, add(decoded, decoded));
  if (info.mode != Mode::kRGB) peak = std::max(peak, add(decoded, rgb));
  peak = std::max(peak, add(rgb, image::prepare_bytes(spec, upright, whole)));
  return static_cast<std::int64_t>(std::min(peak, kMost));
}

Status prepare_row(std::span<const std::byte> encoded, const image::ImageInfo& info,
                   const image::PrepareSpec& spec, bool apply_orientation,
                   std::span<std::uint8_t> slot) {
  const image::Whole whole = image::whole_of(info, apply_orientation);
  if (!by_rows(info, spec, apply_orientation)) {
    const Result<image::Image> rgb = decode_rgb(encoded, info, apply_orientation);
    return rgb ? image::prepare(spec, *rgb, slot, whole) : Status(rgb.error());
  }
  try {
    image::PrepareRows rows(spec, info.decoded_size(), slot, whole);
    return image::decode_rows(encoded, info, rows);
  } catch (const std::bad_alloc&) {
    return no_memory();
  }
}

Result<image::Image> decode_rgb(std::span<const std::byte> encoded, const image::ImageInfo& info,
                                bool apply_orientation) {
  try {
    Result<image::Image> decoded = image::decode(encoded, info);
    if (!decoded) return std::move(decoded).error();
    image::Image picture = std::move(decoded).value();
    if (must_turn(info, apply_orientation)) {
      picture = image::apply_orientation(std::move(picture), info.orientation);
    }
    return image::convert(std::move(picture), Mode::kRGB);
  } catch (const std::bad_alloc&) {
    return no_memory();
  }
}

}  // namespace vecframe::exec
