// EXIF orientation: turns a stored picture the way it was meant to be seen.
#pragma once

#include <cstdint>

#include "image/image.h"

namespace vecframe::image {

/// Orientations 5 to 8 exchange width and height.
Size oriented_size(Size stored, std::uint8_t orientation);

/// `orientation` is the EXIF value, 1..8. 1 returns the image itself, moved.
Image apply_orientation(Image image, std::uint8_t orientation);

}  // namespace vecframe::image
