// The few colours that stand for all of a picture's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "image/image.h"

namespace vecframe::image {

using Colour = std::array<std::uint8_t, 3>;

/// A picture of indices.
struct IndexedImage {
  std::vector<Colour> palette;        ///< at most 256; that of L is all grays, in order
  int transparent = -1;               ///< the index of clear pixels, if there are any
  std::vector<std::uint8_t> indices;  ///< (height, width)
};

/// Reduces an 8-bit picture to a palette. Up to 256 colours (255 beside a clear one) are kept as
/// they are. More are reduced by median cut (Heckbert 1982) over a histogram of 5 bits a channel,
/// and every pixel takes the palette's nearest colour; nothing is dithered. Pixels of alpha 0
/// become clear, all others opaque. May throw std::bad_alloc.
IndexedImage reduce_to_palette(const Image& image);

/// Upper bound of what reduce_to_palette() holds beside the indices.
inline constexpr std::uint64_t kPaletteBytes = 4 * 1024 * 1024;

}  // namespace vecframe::image
