// Between modes, as Pillow's Image.convert does: alpha is dropped, not composited; L is replicated
// into RGB; 16-bit gray becomes 8-bit as Pillow 13 does it; RGB to L uses the ITU-R 601-2 integer
// luma of Pillow. The reference dataframe does the same but for that luma, which it takes from
// ITU-R 709: its gray values lie up to 33 away.
#pragma once

#include "image/image.h"

namespace vecframe::image {

/// Returns `image` itself, moved, when it already has `mode`. `mode` is one of the 8-bit modes.
Image convert(Image image, Mode mode);
/// The same, leaving `image` as it is: a copy where it already has `mode`.
Image converted(const Image& image, Mode mode);

}  // namespace vecframe::image
