// Antialiased resampling without rounding, as torch does it for float32 pictures.
#pragma once

#include <cstddef>
#include <cstdint>

#include "image/resize_window.h"

namespace vecframe::image {

/// Writes the window's rows of an RGB picture, every sample multiplied by `scale`, `stride` values
/// apart, from `out` on. The filter is not kNearest.
void resize_window_float(const Image& rgb, const ResizeWindow& spec, float scale, float* out,
                         std::size_t stride);

/// Upper bound of the bytes resize_window_float() allocates.
std::uint64_t resize_window_float_bytes(const ResizeWindow& spec);

}  // namespace vecframe::image
