// The Haar wavelet hash.
#pragma once

#include <cstddef>

#include "image/hash_bits.h"
#include "image/image.h"

namespace vecframe::image {

/// Pushes side x side bits of a gray picture: whether each cell's low-frequency coefficient, the
/// picture's mean removed, is above the median. `side` is a power of two.
///
/// The mean is removed by transforming to the last level, dropping the one coefficient there, and
/// transforming back, as imagehash.whash does; its roundings are kept, for of a flat picture they
/// are all there is. The transform takes 2x2 neighbourhoods to one, so it is done cell by cell, and
/// memory does not grow with the picture's square. Source: PyWavelets, _dwt and convolution.
void push_wavelet_hash(const Image& gray, std::size_t side, HashBits& bits);

}  // namespace vecframe::image
