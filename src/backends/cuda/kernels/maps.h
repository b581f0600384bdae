// Kernels over feature maps, [batch, height, width, channels]; a thread a value, and a block what
// its threads cover, unless they say otherwise.
#pragma once

#include "backends/cuda/kernels/activation.h"
#include "backends/cuda/kernels/rows.h"
#include "backends/cuda/kernels/sources.h"

namespace vecframe::backends::cuda {

inline constexpr int kMapThreads = 256;

struct WindowShape {
  std::int64_t height, width, channels;  // of the input
  std::int64_t out_height, out_width;
  std::int64_t kernel, stride, pad;
};

/// Calls f(offset of the input value, place in the window) for all of the window of output value
/// `at` that lies inside the map.
template <class F>
VECFRAME_KERNEL void over_window(const WindowShape& shape, std::int64_t at, F f) {
  const std::int64_t position = at / shape.channels;
  const int c = static_cast<int>(at - position * shape.channels);
  const auto height = static_cast<int>(shape.height), width = static_cast<int>(shape.width);
  const auto kernel = static_cast<int>(shape.kernel);
  const std::int64_t line = position / shape.out_width, image = line / shape.out_height;
  const int top = static_cast<int>((line - image * shape.out_height) * shape.stride - shape.pad);
  const int left = static_cast<int>((position - line * shape.out_width) * shape.stride - shape.pad);
  for (int ky = 0; ky < kernel; ++ky) {
    const int y = top + ky;
    if (y < 0 || y >= height) continue;
    const std::int64_t first = (image * height + y) * width * shape.channels + c;
    for (int kx = 0; kx < kernel; ++kx) {
      const int x = left + kx;
      if (x < 0 || x >= width) continue;
      f(first + x * shape.channels, std::int64_t{ky} * kernel + kx);
    }
  }
}

struct Depthwise {
  static constexpr int kThreads = kMapThreads;
  struct Shared {};

  WindowShape shape;
  std::int64_t size;  // of y
  const float* x;
  float* y;
  const float* residual;  // or null; may be y
  const float* weight;    // (place in the window, channel)
  const float* bias;
  compute::Activation activation;
  bool activates_sum;

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    block.each([&](int t) {
      const std::int64_t at = block.index() * kThreads + t;
      if (at >= size) return;
      const std::int64_t c = at % shape.channels;
      float sum = bias[c];
      over_window(shape, at, [&](std::int64_t from, std::int64_t place) {
        sum += x[from] * weight[place * shape.channels + c];
      });
      const float added = residual != nullptr ? residual[at] : 0.0f;
      y[at] = activates_sum ? activate(activation, sum + added) : activate(activation, sum) + added;
    });
  }
};

struct MaxPool {
  static constexpr int kThreads = kMapThreads;
  struct Shared {};

  WindowShape shape;
  std::int64_t size;  // of y
  const float* x;
  float* y;

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    block.each([&](int t) {
      const std::int64_t at = block.index() * kThreads + t;
      if (at >= size) return;
      float largest = -INFINITY;
      over_window(shape, at, [&](std::int64_t from, std::int64_t) {
        largest = x[from] > largest ? x[from] : largest;
      });
      y[at] = largest;
    });
  }
};

struct LoadPixels {
  static constexpr int kThreads = kMapThreads;
  struct Shared {};

  Pixels pixels;
  std::int64_t size;
  float* y;

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    block.each([&](int t) {
      const std::int64_t at = block.index() * kThreads + t;
      if (at < size) y[at] = pixels(at, static_cast<int>(at % 3));
    });
  }
};

/// Norms of channels over a picture: a block a picture and 32 channels, 8 threads a channel.
struct ChannelNorms {
  static constexpr int kThreads = 256, kChannels = 32, kRuns = kThreads / kChannels;
  struct Shared {
    float sums[kRuns][kChannels];
  };

  const float* x;
  std::int64_t positions, channels;
  float* norms;  // (picture, channel)

  VECFRAME_KERNEL static std::int64_t chunks(std::int64_t channels) {
    return (channels + kChannels - 1) / kChannels;
  }

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    Shared& s = block.shared();
    const std::int64_t image = block.index() / chunks(channels);
    const std::int64_t left = block.index() % chunks(channels) * kChannels;
    block.each([&](int t) {
      const std::int64_t c = left + t % kChannels;
      float sum = 0;
      if (c < channels) {
        for (std::int64_t i = t / kChannels; i < positions; i += kRuns) {
          const float value = x[(image * positions + i) * channels + c];
          sum += value * value;
        }
      }
      s.sums[t / kChannels][t % kChannels] = sum;
    });
    block.each([&](int t) {
      if (t >= kChannels || left + t >= channels) return;
      float sum = 0;
      for (int r = 0; r < kRuns; ++r) sum += s.sums[r][t];
      norms[image * channels + left + t] = sqrtf(sum);
    });
  }
};

/// x * (1 + weight * norm / (mean of norms + epsilon)) + bias in place, a block a position.
struct ScaleByNorms {
  static constexpr int kThreads = 128;
  struct Shared {
    float of_warps[kThreads / kWarp];
  };

  float* x;
  std::int64_t positions, channels;
  const float* norms;
  const float* weight;
  const float* bias;
  float epsilon;

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    typename B::template PerThread<float> sum;
    const std::int64_t image = block.index() / positions;
    const float* own = norms + image * channels;
    float* values = x + block.index() * channels;
    block.each_alone([&](int t) {
      sum[t] = 0;
      for (std::int64_t c = t; c < channels; c += kThreads) sum[t] += own[c];
    });
    sum_over_block(block, block.shared().of_warps, kThreads,
                   [&](int t) -> float& { return sum[t]; });
    block.each([&](int t) {
      const float mean = sum[t] / static_cast<float>(channels) + epsilon;
      for (std::int64_t c = t; c < channels; c += kThreads)
        values[c] = values[c] * (1.0f + weight[c] * (own[c] / mean)) + bias[c];
    });
  }
};

}  // namespace vecframe::backends::cuda
