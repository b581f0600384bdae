// Resizing to a wanted size, and what to do where the aspect ratio is another one.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "image/image.h"
#include "image/reduce.h"
#include "image/resize.h"

namespace vecframe::image {

/// How a picture comes to fill a wanted size.
enum class Fit : std::uint8_t {
  kFill,     ///< stretched to exactly that size
  kContain,  ///< as large as fits inside, centred, the rest black (where there is alpha: clear)
  kCover,    ///< as small as covers it, of which the centre is kept
  kInside,   ///< as large as fits inside, nothing added: the result may be smaller in one side
};

/// The sides of `size` scaled to lie inside `wanted` and to touch it, at least 1x1; rounded as
/// Pillow's ImageOps.contain does. Every side of both is at least 1.
Size size_inside(Size size, Size wanted);

/// As size_inside(), but around `wanted`, as Pillow's ImageOps.cover. 64 bits: a line of pixels can
/// come out very long.
struct LongSize {
  std::uint64_t width = 0, height = 0;
};
LongSize size_around(Size size, Size wanted);

/// Resizes an 8-bit picture to `wanted` pixels (at least 1x1). Every filter is that of
/// Resampler::kPillow13, but kBilinear that of `bilinear`, the one or Resampler::kImageRs. Channels
/// are resampled independently; alpha is not premultiplied. Errors (stage prepare): unsupported for
/// a picture without pixels or of 16 bits; too_many_pixels where kCover would enlarge a side beyond
/// 2^24; over_budget where the system has no memory. Never throws. A picture that was
/// reduced comes out as `whole` would.
Result<Image> resize_to_fit(const Image& image, Size wanted, Fit fit = Fit::kFill,
                            Filter filter = Filter::kBilinear,
                            Resampler bilinear = Resampler::kImageRs,
                            const std::optional<Whole>& whole = std::nullopt);

/// By how much that divides both sides of a picture of `size` at least: how far it may be reduced
/// before (reduce.h). 1 for a picture that resize_to_fit() refuses.
double shrink_to_fit(Size size, Size wanted, Fit fit, Filter filter);

/// Upper bound of the bytes that resize_to_fit() holds at its peak, its result included; 0 for what
/// it refuses.
std::uint64_t resize_to_fit_bytes(Mode mode, Size size, Size wanted, Fit fit, Filter filter,
                                  Resampler bilinear = Resampler::kImageRs);

}  // namespace vecframe::image
