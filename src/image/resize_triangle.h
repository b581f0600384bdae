// Antialiased bilinear resampling as the Rust crate `image` 0.25 does it (FilterType::Triangle),
// bit for bit: float32 weights, columns first, nothing rounded between the passes, and the result
// rounded half away from zero.
#pragma once

#include <cstddef>
#include <cstdint>

#include "image/resize_window.h"

namespace vecframe::image {

/// resize_window() of Resampler::kImageRs; the filter of `spec` is kBilinear.
void resize_window_triangle(const Image& image, const ResizeWindow& spec, std::uint8_t* out,
                            std::size_t stride);

/// Upper bound of the bytes resize_window_triangle() allocates.
std::uint64_t resize_window_triangle_bytes(const ResizeWindow& spec, int channels);

}  // namespace vecframe::image
