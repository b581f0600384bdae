// The size to which a picture is brought so that it is cut into whole patches, and into not too
// many of them.
#pragma once

#include <cstdint>

#include "image/image.h"

namespace vecframe::image {

/// The largest size of whole patches of `patch` pixels that keeps the aspect ratio of `size` (each
/// side rounded up to a patch) and has at most `max_patches` of them; no picture is enlarged more
/// than a hundredfold. A picture whose longer side exceeds a million times that of
/// max_patches in a row comes out with more. The result is that of the reference's search, step for
/// step.
///
/// Source: transformers, models/siglip2/image_processing_siglip2.py.
Size fit_patches(Size size, std::uint32_t patch, std::uint32_t max_patches);

}  // namespace vecframe::image
