#include "backends/reference/convolution.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/reference/activation.h"

namespace vecframe::backends::reference {
namespace {

float& at(compute::FeatureMap map, std::int64_t b, std::int64_t y, std::int64_t x, std::int64_t c) {
  return map.data[((b * map.height + y) * map.width + x) * map.channels + c];
}

// The window of one output position, of all input channels, as the product sees it; what lies
// outside the map is zero.
std::vector<float> window_of(const ReferenceConvolution& convolution, compute::FeatureMap x,
                             std::int64_t b, std::int64_t out_y, std::int64_t out_x) {
  const compute::ConvolutionWeights& shape = convolution.shape;
  std::vector<float> window;
  window.reserve(static_cast<std::size_t>(shape.in_channels * shape.kernel * shape.kernel));
  for (std::int64_t i = 0; i < shape.in_channels; ++i) {
    for (std::int64_t ky = 0; ky < shape.kernel; ++ky) {
      for (std::int64_t kx = 0; kx < shape.kernel; ++kx) {
        const std::int64_t in_y = out_y * shape.stride + ky - shape.pad_before;
        const std::int64_t in_x = out_x * shape.stride + kx - shape.pad_before;
        const bool inside = in_y >= 0 && in_y < x.height && in_x >= 0 && in_x < x.width;
        window.push_back(inside ? at(x, b, in_y, in_x, i) : 0.0f);
      }
    }
  }
  round_inputs(window, static_cast<std::int64_t>(window.size()), convolution.precision);
  return window;
}

// Over the channels of one group.
double window_sum(const ReferenceConvolution& convolution, const std::vector<float>& window,
                  std::int64_t out_c) {
  const compute::ConvolutionWeights& shape = convolution.shape;
  const std::int64_t group = out_c / (shape.out_channels / shape.groups);
  const std::int64_t count = shape.in_channels / shape.groups * shape.kernel * shape.kernel;
  const float* values = window.data() + group * count;
  const float* weight = convolution.weight.data() + out_c * count;
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i) sum += static_cast<double>(weight[i]) * values[i];
  return sum;
}

}  // namespace

void convolve(const ReferenceConvolution& convolution, compute::FeatureMap x,
              compute::FeatureMap residual, compute::FeatureMap y) {
  for (std::int64_t b = 0; b < y.batch; ++b) {
    for (std::int64_t out_y = 0; out_y < y.height; ++out_y) {
      for (std::int64_t out_x = 0; out_x < y.width; ++out_x) {
        const std::vector<float> window = window_of(convolution, x, b, out_y, out_x);
        for (std::int64_t c = 0; c < y.channels; ++c) {
          const compute::ConvolutionWeights& shape = convolution.shape;
          const double added = residual.data != nullptr ? at(residual, b, out_y, out_x, c) : 0.0;
          const double sum =
              window_sum(convolution, window, c) + convolution.bias[static_cast<std::size_t>(c)];
          at(y, b, out_y, out_x, c) =
              static_cast<float>(shape.activates_sum ? activate(shape.activation, sum + added)
                                                     : activate(shape.activation, sum) + added);
        }
      }
    }
  }
}

void max_pool(compute::FeatureMap x, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
              compute::FeatureMap y) {
  for (std::int64_t b = 0; b < y.batch; ++b) {
    for (std::int64_t out_y = 0; out_y < y.height; ++out_y) {
      for (std::int64_t out_x = 0; out_x < y.width; ++out_x) {
        for (std::int64_t c = 0; c < y.channels; ++c) {
          float largest = -std::numeric_limits<float>::infinity();
          for (std::int64_t ky = 0; ky < kernel; ++ky) {
            for (std::int64_t kx = 0; kx < kernel; ++kx) {
              const std::int64_t in_y = out_y * stride + ky - padding;
              const std::int64_t in_x = out_x * stride + kx - padding;
              if (in_y < 0 || in_y >= x.height || in_x < 0 || in_x >= x.width) continue;
              largest = std::max(largest, at(x, b, in_y, in_x, c));
            }
          }
          at(y, b, out_y, out_x, c) = largest;
        }
      }
    }
  }
}

void normalize_response(const std::vector<float>& weight, const std::vector<float>& bias,
                        float epsilon, compute::FeatureMap x) {
  std::vector<double> norms(static_cast<std::size_t>(x.channels));
  for (std::int64_t b = 0; b < x.batch; ++b) {
    const std::int64_t positions = x.height * x.width;
    float* picture = x.data + b * positions * x.channels;
    double mean = 0;
    for (std::size_t c = 0; c < norms.size(); ++c) {
      double squares = 0;
      for (std::int64_t i = 0; i < positions; ++i) {
        const double value = picture[i * x.channels + static_cast<std::int64_t>(c)];
        squares += value * value;
      }
      norms[c] = std::sqrt(squares);
      mean += norms[c] / static_cast<double>(x.channels);
    }
    for (std::int64_t i = 0; i < positions; ++i) {
      for (std::size_t c = 0; c < norms.size(); ++c) {
        float& value = picture[i * x.channels + static_cast<std::int64_t>(c)];
        value = static_cast<float>(value * (1 + weight[c] * norms[c] / (mean + epsilon)) + bias[c]);
      }
    }
  }
}

}  // namespace vecframe::backends::reference
