// What the calls of the backend interface speak about. Sizes are element counts unless they say
// bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "tensor/dtype.h"

namespace vecframe::compute {

enum class Activation : std::uint8_t {
  kNone,
  kQuickGelu,  ///< x * sigmoid(1.702 x)
  kGeluErf,    ///< x / 2 * (1 + erf(x / sqrt 2))
  kGeluTanh,   ///< x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3)))
  kSilu,       ///< x * sigmoid(x)
  kRelu,
  kRelu6,  ///< min(max(x, 0), 6)
  kTanh,
};

/// float32 activations in device memory, rows of `columns` values, `stride` values apart.
struct Matrix {
  float* data = nullptr;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
  std::int64_t stride = 0;
  /// Whether all that reads it rounds its values to bf16: products with such weights, and attention
  /// below fp32. A backend may then keep it in bf16, in half of the memory, which changes no
  /// result. Such a matrix is written and read whole, by linear() (`x`, `y`), normalize() (`y`),
  /// attention, and, into another one, gather_rows() and take_rows().
  bool narrow = false;

  /// Rows [first, first + count).
  Matrix row_range(std::int64_t first, std::int64_t count) const {
    return {data + first * stride, count, columns, stride};
  }
};

/// float32 feature maps in device memory, [batch, height, width, channels] without padding.
struct FeatureMap {
  float* data = nullptr;
  std::int64_t batch = 0, height = 0, width = 0, channels = 0;
  std::int64_t size() const { return batch * height * width * channels; }
};

/// Host weights of y = x W^T + b. `weight` is [out, in] row-major, `bias` is [out] or empty.
struct LinearWeights {
  std::span<const float> weight;
  std::span<const float> bias;
  std::int64_t in_features = 0;
  std::int64_t out_features = 0;
};

/// Host weights of a convolution. `weight` is [out, in / groups, kernel, kernel] as stored in
/// checkpoints; groups is 1 or, for a depthwise convolution, the channel count. Padding is zero,
/// `pad_before` above and left, `pad_after` below and right: output = (input + before + after -
/// kernel) / stride + 1.
struct ConvolutionWeights {
  std::span<const float> weight;
  std::span<const float> bias;
  std::int64_t in_channels = 0, out_channels = 0, kernel = 1, stride = 1, groups = 1;
  std::int64_t pad_before = 0, pad_after = 0;
  Activation activation = Activation::kNone;
  /// act(conv(x) + b + residual), as in a ResNet, in place of act(conv(x) + b) + residual.
  bool activates_sum = false;
};

/// Host weights of a patch embedding: `weight` is [out, 3 * patch * patch], each row in the order
/// (channel, y, x).
struct PatchWeights {
  std::span<const float> weight;
  std::span<const float> bias;
  std::int64_t patch = 0;
  std::int64_t out_features = 0;
};

/// Packed input in host memory: uint8 [batch, height, width, 3], and the table that makes pixel
/// values of the bytes; or, if `values` is not null, the pixel values themselves in the same order.
struct PixelBatch {
  const std::uint8_t* pixels = nullptr;
  std::int64_t batch = 0, height = 0, width = 0;
  /// table[channel][byte]
  const std::array<std::array<float, 256>, 3>* table = nullptr;
  const float* values = nullptr;
};

enum class NormKind : std::uint8_t { kLayerNorm, kRmsNorm };

}  // namespace vecframe::compute
