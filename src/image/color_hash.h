// The hash of a picture's colours.
#pragma once

#include <cstddef>

#include "image/hash_bits.h"
#include "image/image.h"

namespace vecframe::image {

/// Shares of pixels that colorhash counts: black, gray, six hues faint, six hues bright.
inline constexpr std::size_t kColorBins = 14;

/// Pushes kColorBins x `bits_per_bin` bits, each share by the scheme of imagehash.colorhash: bit i
/// is whether (v >> (n - i - 1)) mod 2^(n - i) is not zero, which is not v in binary where n > 3.
/// `image` has any 8-bit mode.
void push_color_hash(const Image& image, std::size_t bits_per_bin, HashBits& bits);

}  // namespace vecframe::image
