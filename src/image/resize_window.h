// Resampling of a picture of which only a part of the result is wanted, as when it is cropped next.
#pragma once

#include <cstddef>
#include <cstdint>

#include "image/resize.h"

namespace vecframe::image {

/// What to evaluate: `source` of the input is resized to `size`, of which `window` is kept. The
/// bytes are those of the whole result, cropped.
struct ResizeWindow {
  Box source;
  Size size;
  Box window;
  Filter filter = Filter::kBicubic;
  Resampler resampler = Resampler::kTorchvision;
};

/// Writes the window's rows, `stride` bytes apart, from `out` on.
void resize_window(const Image& image, const ResizeWindow& spec, std::uint8_t* out,
                   std::size_t stride);

/// Upper bound of the bytes resize_window() allocates.
std::uint64_t resize_window_bytes(const ResizeWindow& spec, int channels);

}  // namespace vecframe::image
