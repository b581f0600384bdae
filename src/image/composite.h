// Pictures with alpha laid on a white ground.
#pragma once

#include "image/image.h"

namespace vecframe::image {

/// A picture of mode LA or RGBA becomes L or RGB, each pixel mixed with white by its alpha, in the
/// integer arithmetic of Pillow's Image.alpha_composite; any other picture is copied.
Image on_white(const Image& image);

}  // namespace vecframe::image
