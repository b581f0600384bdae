#include "image/resize_float.h"

#include <algorithm>
#include <cassert>

#include "image/resize_weights.h"
#include "tensor/aligned_buffer.h"

namespace vecframe::image {
namespace {

constexpr std::size_t kChannels = 3;

Span horizontal_span(const ResizeWindow& spec) { return {spec.window.left, spec.window.width}; }
Span vertical_span(const ResizeWindow& spec) { return {spec.window.top, spec.window.height}; }

// `from` (width, 3) to one row of outputs.
void resize_row(const float* from, const FloatWeights& weights, float scale, float* to) {
  for (std::size_t i = 0; i < weights.first.size(); ++i, to += kChannels) {
    const float* pixel = from + weights.first[i] * kChannels;
    const float* weight = weights.weight.data() + i * weights.stride;
    float red = 0, green = 0, blue = 0;
    for (std::uint32_t k = 0; k < weights.count[i]; ++k, pixel += kChannels) {
      red += weight[k] * pixel[0];
      green += weight[k] * pixel[1];
      blue += weight[k] * pixel[2];
    }
    to[0] = red * scale;
    to[1] = green * scale;
    to[2] = blue * scale;
  }
}

}  // namespace

void resize_window_float(const Image& rgb, const ResizeWindow& spec, float scale, float* out,
                         std::size_t stride) {
  assert(rgb.mode() == Mode::kRGB && spec.filter != Filter::kNearest);
  const FloatWeights horizontal =
      float_weights(columns_of(spec), spec.size.width, horizontal_span(spec), spec.filter);
  const FloatWeights vertical =
      float_weights(rows_of(spec), spec.size.height, vertical_span(spec), spec.filter);
  // Columns first: that pass reads every sample of the picture, and runs along whole rows. The
  // order changes nothing but the last bit of a float32.
  const std::size_t begin = horizontal.first.front() * kChannels;
  const std::size_t end = (horizontal.first.back() + horizontal.count.back()) * kChannels;
  tensor::AlignedBuffer<float> sums(spec.source.width * kChannels);
  for (std::uint32_t i = 0; i < spec.window.height; ++i, out += stride) {
    std::fill(sums.data() + begin, sums.data() + end, 0.0f);
    for (std::uint32_t k = 0; k < vertical.count[i]; ++k) {
      const float weight = vertical.weight[i * vertical.stride + k];
      const std::uint8_t* row =
          rgb.row(spec.source.top + vertical.first[i] + k) + spec.source.left * kChannels;
      float* sum = sums.data();
      for (std::size_t c = begin; c < end; ++c) sum[c] += weight * row[c];
    }
    resize_row(sums.data(), horizontal, scale, out);
  }
}

std::uint64_t resize_window_float_bytes(const ResizeWindow& spec) {
  return float_weights_bytes(spec.source.width, spec.size.width, horizontal_span(spec),
                             spec.filter) +
         float_weights_bytes(spec.source.height, spec.size.height, vertical_span(spec),
                             spec.filter) +
         spec.source.width * kChannels * sizeof(float) + tensor::kAlignment;
}

}  // namespace vecframe::image
