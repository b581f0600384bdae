// Antialiased resampling of 8-bit pictures, bit for bit as the libraries that model processors use.
//
// torchvision's and Pillow's are separable, share their float64 weights, and round to 8 bits
// between the passes; they differ in the number of fraction bits of the fixed-point weights and in
// the order of the passes. The third, of dataframes, computes in float32.
#pragma once

#include <cstdint>

#include "image/image.h"

namespace vecframe::image {

enum class Filter : std::uint8_t { kNearest, kBox, kBilinear, kBicubic, kLanczos };

enum class Resampler : std::uint8_t {
  kTorchvision,  ///< torch's uint8 antialias path on a CPU: 16-bit weights, horizontal pass first
  kPillow12,     ///< Pillow 3.3 to 12: 22-bit weights, horizontal pass first
  kPillow13,  ///< Pillow 13: as 12, but vertical first when the height shrinks much more than the
              ///< width
  kFloat,     ///< torch's float32 antialias path: nothing is rounded; see resize_float.h
  kImageRs,   ///< the Rust crate image 0.25, kBilinear alone; see resize_triangle.h
};

/// The part of a picture to resample, in pixels; the kernel does not look outside it.
struct Box {
  std::uint32_t left = 0, top = 0, width = 0, height = 0;
};

/// Resizes `box` of an 8-bit image of any channel count to `size` (both at least 1x1). Channels are
/// resampled independently, alpha is not premultiplied. kNearest takes Pillow's sample positions
/// under every resampler.
Image resize(const Image& image, Box box, Size size, Filter filter, Resampler resampler);
Image resize(const Image& image, Size size, Filter filter, Resampler resampler);

}  // namespace vecframe::image
