// Where the left factor of a product comes from: rows of a matrix, patches of pictures, windows of
// a feature map. at(row) is what is the same for all of a row, and value(k) the rest of the way, in
// 32 bits: a GPU divides 64-bit numbers in a hundred steps.
#pragma once

#include "backends/cuda/kernels/block.h"

namespace vecframe::backends::cuda {

struct MatrixSource {
  Cells x;

  struct Row {
    Cells x;
    std::int64_t row;
    VECFRAME_KERNEL float value(int k) const { return load(x, row, k); }
  };
  VECFRAME_KERNEL Row at(std::int64_t row) const { return {x, row}; }
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

  struct Row {
    Pixels pixels;
    std::int64_t first;  // value of the patch
    int run, line;       // values of a row of the patch, of the picture
    VECFRAME_KERNEL float value(int k) const {
      const int y = k / run, within = k - y * run;
      return pixels(first + static_cast<std::int64_t>(y) * line + within, within % 3);
    }
  };
  VECFRAME_KERNEL Row at(std::int64_t row) const {
    const std::int64_t image = row / patches, n = row % patches;
    const std::int64_t top = n / grid_columns * patch, left = n % grid_columns * patch;
    return {pixels, ((image * height + top) * width + left) * 3, static_cast<int>(patch * 3),
            static_cast<int>(width * 3)};
  }
};

/// Windows of feature maps; k counts rows and columns of the window and channels.
struct WindowSource {
  const float* x;
  std::int64_t height, width, channels;  // of x
  std::int64_t out_height, out_width;
  std::int64_t kernel, stride, pad;

  struct Row {
    const float* image;
    int top, left, height, width, channels, kernel;
    VECFRAME_KERNEL float value(int k) const {
      const int place = k / channels, c = k - place * channels;
      const int down = place / kernel;
      const int y = top + down, x = left + place - down * kernel;
      if (y < 0 || y >= height || x < 0 || x >= width) return 0;
      return image[(static_cast<std::int64_t>(y) * width + x) * channels + c];
    }
  };
  VECFRAME_KERNEL Row at(std::int64_t row) const {
    const std::int64_t out_x = row % out_width, out_y = row / out_width % out_height;
    return {x + row / out_width / out_height * height * width * channels,
            static_cast<int>(out_y * stride - pad),
            static_cast<int>(out_x * stride - pad),
            static_cast<int>(height),
            static_cast<int>(width),
            static_cast<int>(channels),
            static_cast<int>(kernel)};
  }
};

/// Rows [first, ...) of a source as a matrix, with zeros up to `padded` columns; a block a row.
template <class Source>
struct LoadRows {
  static constexpr int kThreads = 128;
  struct Shared {};

  Source source;
  Cells to;
  std::int64_t first;
  int columns, padded;

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    const auto row = source.at(first + block.index());
    block.each([&](int t) {
      for (int k = t; k < padded; k += kThreads)
        store(to, block.index(), k, k < columns ? row.value(k) : 0.0f);
    });
  }
};

}  // namespace vecframe::backends::cuda
