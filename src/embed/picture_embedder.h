// Embedders that take decoded pictures in place of packed slots, and their twins for texts, are
// those of the public interface, so that a provider of this library and one of a user are alike.
// Here is what turns pictures of the two sides into each other.
#pragma once

#include <vecframe/provider.h>

#include "image/image.h"

namespace vecframe::embed {

/// Takes a picture of 8 bits a sample.
Picture to_picture(image::Image image);
/// A copy, for what works on Images, such as image::encode().
image::Image to_image(const Picture& picture);

}  // namespace vecframe::embed
