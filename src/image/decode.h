// Encoded bytes to pixels, by the format's own well-kept library.
//
// The verdict on a broken file is Pillow's: what Pillow refuses is an error here, and nothing is
// ever padded with invented pixels. The first frame of an animation is taken. Colour profiles are
// not applied (as Pillow).
//
// Known differences from Pillow 13 are refusals: lossless JPEG, which needs libjpeg-turbo 3; more
// than 500 scans in a JPEG; TIFF in L*a*b* or LZMA; an animated PNG whose first frame is not its
// whole picture; and data so short or broken that Pillow leaves pixels black.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"
#include "image/image.h"
#include "image/probe.h"

namespace vecframe::image {

/// Decodes `bytes`, which probe() described as `info`. The result has info.mode and
/// info.decoded_size(): palettes are expanded (to RGB, or RGBA where the palette has transparency),
/// CMYK and YCCK become RGB by Pillow's formulas, 1, 2 and 4 bits become 8, orientation is left
/// alone. Errors (stage decode): truncated, corrupt, unsupported.
Result<Image> decode(std::span<const std::byte> bytes, const ImageInfo& info);

}  // namespace vecframe::image
