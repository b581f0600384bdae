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

// Rows between the passes: those of which an output row is made.
std::uint64_t ring_rows(const ResizeWindow& spec) {
  return max_taps(spec.source.height, spec.size.height, spec.filter);
}

void resize_row(const std::uint8_t* from, const FloatWeights& weights, float scale, float* to) {
  for (std::size_t i = 0; i < weights.first.size(); ++i, to += kChannels) {
    const std::uint8_t* pixel = from + weights.first[i] * kChannels;
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
      float_weights(spec.source.width, spec.size.width, horizontal_span(spec), spec.filter);
  const FloatWeights vertical =
      float_weights(spec.source.height, spec.size.height, vertical_span(spec), spec.filter);
  const std::size_t row_values = spec.window.width * kChannels;
  const auto ring = static_cast<std::uint32_t>(ring_rows(spec));
  tensor::AlignedBuffer<float> rows(ring * row_values);
  const auto slot = [&](std::uint32_t y) { return rows.data() + y % ring * row_values; };

  std::uint32_t ready = 0;  // rows before this one have been through, or are not wanted
  for (std::uint32_t i = 0; i < spec.window.height; ++i, out += stride) {
    const std::uint32_t first = vertical.first[i], end = first + vertical.count[i];
    for (ready = std::max(ready, first); ready < end; ++ready)
      resize_row(rgb.row(spec.source.top + ready) + spec.source.left * kChannels, horizontal, scale,
                 slot(ready));
    std::fill_n(out, row_values, 0.0f);
    for (std::uint32_t y = first; y < end; ++y) {
      const float weight = vertical.weight[i * vertical.stride + (y - first)];
      const float* row = slot(y);
      for (std::size_t c = 0; c < row_values; ++c) out[c] += weight * row[c];
    }
  }
}

std::uint64_t resize_window_float_bytes(const ResizeWindow& spec) {
  return float_weights_bytes(spec.source.width, spec.size.width, horizontal_span(spec),
                             spec.filter) +
         float_weights_bytes(spec.source.height, spec.size.height, vertical_span(spec),
                             spec.filter) +
         ring_rows(spec) * spec.window.width * kChannels * sizeof(float) + tensor::kAlignment;
}

}  // namespace vecframe::image
