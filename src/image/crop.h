// Cutting a box out of a picture.
#pragma once

#include "image/image.h"
#include "image/resize.h"

namespace vecframe::image {

/// The part of `image`, of any mode, that lies in `box` (pixels). A box that reaches over the right
/// or lower edge is cut off there, not padded; one that lies outside or has no area gives a picture
/// of 0x0. Throws std::bad_alloc alone.
Image crop(const Image& image, Box box);

}  // namespace vecframe::image
