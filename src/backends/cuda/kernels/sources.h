// Where the left factor of a product comes from: rows of a matrix, patches of pictures, windows of
// a feature map. Nothing of it is written out before the product.
#pragma once

#include "backends/cuda/kernels/block.h"

namespace vecframe::backends::cuda {

struct MatrixSource {
  Cells x;
  VECFRAME_KERNEL float operator()(std::int64_t row, std::int64_t k) const {
    return load(x, row, k);
  }
};

/// uint8 pixels and the table of their values, or the values themselves; [batch, height, width, 3].
struct Pixels {
  const std::uint8_t* bytes;
  const float* table;  // (channel, byte)
  const float* values;
  VECFRAME_KERNEL float operator()(std::int64_t at, int channel) const {
    return values != nullptr ? values[at] : table[channel * 256 + bytes[at]];
  }
};

/// Patches of pictures; k counts rows, columns and channels of a patch.
struct PatchSource {
  Pixels pixels;
  std::int64_t height, width, patch, grid_columns, patches;
  VECFRAME_KERNEL float operator()(std::int64_t row, std::int64_t k) const {
    const std::int64_t image = row / patches, n = row % patches;
    const std::int64_t run = patch * 3, within = k % run;
    const std::int64_t y = n / grid_columns * patch + k / run;
    const std::int64_t left = n % grid_columns * patch;
    return pixels(((image * height + y) * width + left) * 3 + within, static_cast<int>(within % 3));
  }
};

/// Windows of feature maps; k counts rows and columns of the window and channels.
struct WindowSource {
  const float* x;
  std::int64_t height, width, channels;  // of x
  std::int64_t out_height, out_width;
  std::int64_t kernel, stride, pad;
  VECFRAME_KERNEL float operator()(std::int64_t row, std::int64_t k) const {
    const std::int64_t out_x = row % out_width, out_y = row / out_width % out_height;
    const std::int64_t image = row / out_width / out_height;
    const std::int64_t c = k % channels, place = k / channels;
    const std::int64_t y_in = out_y * stride + place / kernel - pad;
    const std::int64_t x_in = out_x * stride + place % kernel - pad;
    if (y_in < 0 || y_in >= height || x_in < 0 || x_in >= width) return 0;
    return x[((image * height + y_in) * width + x_in) * channels + c];
  }
};

}  // namespace vecframe::backends::cuda
