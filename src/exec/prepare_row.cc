#include "exec/prepare_row.h"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "image/convert.h"
#include "image/decode.h"
#include "image/orientation.h"

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

}  // namespace

std::int64_t working_bytes(const image::ImageInfo& info, const image::PrepareSpec& spec,
                           bool apply_orientation) {
  const bool turn = must_turn(info, apply_orientation);
  const std::uint64_t num_pixels = std::uint64_t{info.size.width} * info.size.height;
  const std::uint64_t decoded = num_pixels * static_cast<unsigned>(bytes_per_pixel(info.mode));
  const std::uint64_t rgb = num_pixels * 3;
  const image::Size upright = turn ? image::oriented_size(info.size, info.orientation) : info.size;

  // One step after the other; each holds its input and its output.
  std::uint64_t peak = std::max(info.decode_bytes, decoded);
  if (turn) peak = std::max(peak, add(decoded, decoded));
  if (info.mode != Mode::kRGB) peak = std::max(peak, add(decoded, rgb));
  peak = std::max(peak, add(rgb, image::prepare_bytes(spec, upright)));
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max() / 2;
  return static_cast<std::int64_t>(std::min(peak, kMost));
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
    return RowError{Stage::kDecode, ErrorCode::kOverBudget,
                    "the operating system refused the memory for this picture"};
  }
}

}  // namespace vecframe::exec
