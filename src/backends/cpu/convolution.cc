#include "backends/cpu/convolution.h"

#include <algorithm>
#include <array>
#include <vector>

namespace vecframe::backends::cpu {
namespace {

using compute::FeatureMap;

// One row a position.
compute::Matrix positions(FeatureMap map) {
  return {map.data, map.batch * map.height * map.width, map.channels, map.channels};
}

// The window of output position m in the order (y, x, channel); outside the map is zero.
void fill_window(const compute::ConvolutionWeights& shape, FeatureMap x, FeatureMap y,
                 std::int64_t m, float* to) {
  const std::int64_t image = m / (y.height * y.width);
  const std::int64_t top = m / y.width % y.height * shape.stride - shape.pad_before;
  const std::int64_t left = m % y.width * shape.stride - shape.pad_before;
  const std::int64_t run = shape.kernel * x.channels;
  const std::int64_t first = std::clamp<std::int64_t>(-left, 0, shape.kernel);
  const std::int64_t last = std::clamp<std::int64_t>(x.width - left, first, shape.kernel);
  for (std::int64_t ky = 0; ky < shape.kernel; ++ky, to += run) {
    const std::int64_t row = top + ky;
    if (row < 0 || row >= x.height || first == last) {
      std::fill_n(to, run, 0.0f);
      continue;
    }
    std::fill(to, to + first * x.channels, 0.0f);
    std::copy_n(x.data + ((image * x.height + row) * x.width + left + first) * x.channels,
                (last - first) * x.channels, to + first * x.channels);
    std::fill(to + last * x.channels, to + run, 0.0f);
  }
}

}  // namespace

void convolve(const Isa& isa, const DenseConvolution& convolution, FeatureMap x,
              FeatureMap residual, ProductScratch& scratch, FeatureMap y) {
  const compute::ConvolutionWeights& shape = convolution.shape;
  const compute::Matrix out = positions(y);
  if (out.rows == 0) return;
  const ProductOutput output{out,
                             residual.data == nullptr ? compute::Matrix{} : positions(residual),
                             shape.activation,
                             out.rows,
                             0,
                             shape.activates_sum};
  const bool pointwise =
      shape.kernel == 1 && shape.stride == 1 && shape.pad_before == 0 && shape.pad_after == 0;
  if (pointwise) {
    const auto source = [&](std::int64_t m, float*) -> const float* {
      return x.data + m * x.channels;
    };
    product(isa, convolution.matrix, out.rows, source, scratch, output);
  } else {
    const auto source = [&](std::int64_t m, float* row) -> const float* {
      fill_window(shape, x, y, m, row);
      return row;
    };
    product(isa, convolution.matrix, out.rows, source, scratch, output);
  }
}

void convolve(const Isa& isa, const DepthwiseConvolution& convolution, FeatureMap x,
              FeatureMap residual, ProductScratch& scratch, FeatureMap y) {
  const compute::ConvolutionWeights& shape = convolution.shape;
  const std::int64_t row_size = y.width * y.channels;
  const bool plain = shape.activation == compute::Activation::kNone && residual.data == nullptr;
  float* sums = scratch.sums.floats(row_size);  // the residual may be y, so it is read first
  DepthwiseRow row{nullptr,
                   convolution.weight.data(),
                   convolution.bias.data(),
                   nullptr,
                   x.width,
                   y.width,
                   y.channels,
                   shape.kernel,
                   shape.stride,
                   shape.pad_before};
  // pack() admits kernels up to kMaxDepthwiseKernel only.
  std::array<const float*, kMaxDepthwiseKernel> rows{};
  row.rows = rows.data();
  for (std::int64_t b = 0; b < y.batch; ++b) {
    for (std::int64_t oy = 0; oy < y.height; ++oy) {
      for (std::int64_t ky = 0; ky < shape.kernel; ++ky) {
        const std::int64_t iy = oy * shape.stride + ky - shape.pad_before;
        rows[static_cast<std::size_t>(ky)] =
            iy < 0 || iy >= x.height ? nullptr
                                     : x.data + (b * x.height + iy) * x.width * x.channels;
      }
      const std::int64_t offset = (b * y.height + oy) * row_size;
      row.y = plain ? y.data + offset : sums;
      isa.kernels->depthwise(row);
      if (plain) continue;
      const Epilogue epilogue{shape.activation, nullptr,
                              residual.data == nullptr ? nullptr : residual.data + offset, row_size,
                              shape.activates_sum};
      isa.kernels->finish(sums, row_size, 1, row_size, epilogue, y.data + offset, row_size);
    }
  }
}

void max_pool(const Isa& isa, FeatureMap x, std::int64_t kernel, std::int64_t stride,
              std::int64_t padding, FeatureMap y) {
  std::vector<const float*> window;
  window.reserve(static_cast<std::size_t>(kernel * kernel));
  float* to = y.data;
  for (std::int64_t b = 0; b < y.batch; ++b) {
    for (std::int64_t oy = 0; oy < y.height; ++oy) {
      const std::int64_t top = oy * stride - padding;
      for (std::int64_t ox = 0; ox < y.width; ++ox, to += y.channels) {
        const std::int64_t left = ox * stride - padding;
        window.clear();
        for (std::int64_t iy = std::max<std::int64_t>(0, top);
             iy < std::min(top + kernel, x.height); ++iy)
          for (std::int64_t ix = std::max<std::int64_t>(0, left);
               ix < std::min(left + kernel, x.width); ++ix)
            window.push_back(x.data + ((b * x.height + iy) * x.width + ix) * x.channels);
        isa.kernels->max_rows(window.data(), static_cast<std::int64_t>(window.size()), y.channels,
                              to);
      }
    }
  }
}

void normalize_response(const Isa& isa, const float* weight, const float* bias, float epsilon,
                        FeatureMap x, ProductScratch& scratch) {
  const std::int64_t positions = x.height * x.width;
  float* scales = scratch.row.floats(x.channels);
  for (std::int64_t b = 0; b < x.batch; ++b)
    isa.kernels->normalize_response(
        weight, bias, epsilon,
        {x.data + b * positions * x.channels, positions, x.channels, x.channels}, scales);
}

}  // namespace vecframe::backends::cpu
