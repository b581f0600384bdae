// How far a JPEG is reduced while it is decoded, where that is asked for: of the same data,
// libjpeg-turbo's inverse cosine transform gives half, a quarter or an eighth of each side as well,
// for a fraction of the time and memory. Pixels are not those of the picture decoded whole and
// resized.
#pragma once

#include <cstdint>

#include "image/image.h"
#include "image/probe.h"

namespace vecframe::image {

/// The reduced picture is at least so many times as long, in both sides, as what is made of it.
inline constexpr double kReducedDetail = 2.0;

/// `info` of the picture to decode where whatever follows divides each side by `shrink` or more:
/// the smallest that kReducedDetail allows. The same one where that is the whole picture, or where
/// the format knows no reduced ones.
ImageInfo reduced(const ImageInfo& info, double shrink);

/// What a reduced picture was: each of its pixels is the mean of `step` x `step` of these, but that
/// those of one edge reach beyond the picture where a side is no multiple of `step`.
struct Whole {
  Size size;
  std::uint32_t step = 1;
  bool left = false, top = false;  ///< the edge is there, and not right and at the bottom
};

/// Of the picture that decode() gives for `info`, turned upright or as it is stored.
Whole whole_of(const ImageInfo& info, bool upright);

}  // namespace vecframe::image
