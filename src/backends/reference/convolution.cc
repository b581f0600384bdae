#include "backends/reference/convolution.h"

#include "backends/reference/activation.h"

namespace vecframe::backends::reference {
namespace {

float& at(compute::FeatureMap map, std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) {
  return map.data[((b * map.height + y) * map.width + x) * map.channels + c];
}

// Sum over the window of one output value; what lies outside the map is zero.
double window_sum(const ReferenceConvolution& convolution, compute::FeatureMap x, std::int64_t b,
                  std::int64_t out_y, std::int64_t out_x, std::int64_t out_c) {
  const compute::ConvolutionWeights& shape = convolution.shape;
  const std::int64_t in_per_group = shape.in_channels / shape.groups;
  const std::int64_t out_per_group = shape.out_channels / shape.groups;
  const std::int64_t first_in = out_c / out_per_group * in_per_group;
  double sum = 0;
  for (std::int64_t i = 0; i < in_per_group; ++i) {
    for (std::int64_t ky = 0; ky < shape.kernel; ++ky) {
      for (std::int64_t kx = 0; kx < shape.kernel; ++kx) {
        const std::int64_t in_y = out_y * shape.stride + ky - shape.pad_before;
        const std::int64_t in_x = out_x * shape.stride + kx - shape.pad_before;
        if (in_y < 0 || in_y >= x.height || in_x < 0 || in_x >= x.width) continue;
        const std::int64_t w = ((out_c * in_per_group + i) * shape.kernel + ky) * shape.kernel + kx;
        const float value = as_input(at(x, b, in_y, in_x, first_in + i), convolution.precision);
        sum += static_cast<double>(convolution.weight[static_cast<std::size_t>(w)]) * value;
      }
    }
  }
  return sum;
}

}  // namespace

void convolve(const ReferenceConvolution& convolution, compute::FeatureMap x,
              compute::FeatureMap residual, compute::FeatureMap y) {
  for (std::int64_t b = 0; b < y.batch; ++b) {
    for (std::int64_t out_y = 0; out_y < y.height; ++out_y) {
      for (std::int64_t out_x = 0; out_x < y.width; ++out_x) {
        for (std::int64_t c = 0; c < y.channels; ++c) {
          const double sum = window_sum(convolution, x, b, out_y, out_x, c) +
                             convolution.bias[static_cast<std::size_t>(c)];
          double value = activate(convolution.shape.activation, sum);
          if (residual.data != nullptr) value += at(residual, b, out_y, out_x, c);
          at(y, b, out_y, out_x, c) = static_cast<float>(value);
        }
      }
    }
  }
}

}  // namespace vecframe::backends::reference
