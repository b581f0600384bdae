#include "image/resize_triangle.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <vector>

#include "image/resize_weights.h"
#include "image/triangle_kernels.h"
#include "tensor/aligned_buffer.h"

namespace vecframe::image {
namespace {

constexpr std::size_t kStripSamples = 4096;

Span horizontal_span(const ResizeWindow& spec) { return {spec.window.left, spec.window.width}; }
Span vertical_span(const ResizeWindow& spec) { return {spec.window.top, spec.window.height}; }

// The definition computes in float32 throughout; the order of operations is part of it.
std::size_t most_taps(std::uint32_t n_in, std::uint32_t n_out) {
  const float stretch = std::max(static_cast<float>(n_in) / static_cast<float>(n_out), 1.0f);
  return std::min<std::size_t>(2 * (static_cast<std::size_t>(std::ceil(stretch)) + 1), n_in);
}

TriangleWeights triangle_weights(Samples in, std::uint32_t n_out, Span span) {
  const std::uint32_t n_in = in.count;
  const auto begin_of_input = static_cast<float>(in.before);
  const float ratio = static_cast<float>(in.length()) / static_cast<float>(n_out);
  const float stretch = std::max(ratio, 1.0f);
  const auto last = static_cast<std::int64_t>(n_in) - 1;
  TriangleWeights result;
  result.stride = most_taps(n_in, n_out);
  result.first.resize(span.count);
  result.count.resize(span.count);
  result.weight.resize(result.stride * span.count);
  for (std::uint32_t i = 0; i < span.count; ++i) {
    const float center = begin_of_input + (static_cast<float>(span.begin + i) + 0.5f) * ratio;
    const auto lo =
        std::clamp<std::int64_t>(static_cast<std::int64_t>(std::floor(center - stretch)), 0, last);
    const auto hi = std::clamp<std::int64_t>(static_cast<std::int64_t>(std::ceil(center + stretch)),
                                             lo + 1, last + 1);
    // Above 2^24 float32 can round a reach up; what lies behind the stride has weight 0.
    const auto count = std::min<std::size_t>(static_cast<std::size_t>(hi - lo), result.stride);
    float* weights = result.weight.data() + i * result.stride;
    float sum = 0;
    for (std::size_t k = 0; k < count; ++k) {
      const float position = static_cast<float>(lo + static_cast<std::int64_t>(k));
      const float distance = std::abs((position - (center - 0.5f)) / stretch);
      weights[k] = distance < 1.0f ? 1.0f - distance : 0.0f;
      sum += weights[k];
    }
    if (sum != 0.0f)
      for (std::size_t k = 0; k < count; ++k) weights[k] /= sum;
    // Taps of weight 0 at the ends add nothing.
    std::size_t begin = 0, end = count;
    while (end > 1 && weights[end - 1] == 0.0f) --end;
    while (begin + 1 < end && weights[begin] == 0.0f) ++begin;
    std::copy(weights + begin, weights + end, weights);
    result.first[i] = static_cast<std::uint32_t>(lo) + static_cast<std::uint32_t>(begin);
    result.count[i] = static_cast<std::uint32_t>(end - begin);
  }
  return result;
}

std::uint64_t weights_bytes(std::uint32_t n_in, std::uint32_t n_out, Span span) {
  return (most_taps(n_in, n_out) * sizeof(float) + 2 * sizeof(std::uint32_t)) * span.count;
}

}  // namespace

void resize_window_triangle(const Image& image, const ResizeWindow& spec, std::uint8_t* out,
                            std::size_t stride) {
  assert(bytes_per_sample(image.mode()) == 1 && spec.filter == Filter::kBilinear);
  TriangleWeights horizontal =
      triangle_weights(columns_of(spec), spec.size.width, horizontal_span(spec));
  const TriangleWeights vertical =
      triangle_weights(rows_of(spec), spec.size.height, vertical_span(spec));
  const auto pixel = static_cast<std::size_t>(bytes_per_pixel(image.mode()));

  // Only the columns that the window needs go through the first pass.
  std::uint32_t begin = spec.source.width, end = 0;
  for (std::uint32_t i = 0; i < horizontal.size(); ++i) {
    begin = std::min(begin, horizontal.first[i]);
    end = std::max(end, horizontal.first[i] + horizontal.count[i]);
  }
  for (std::uint32_t& first : horizontal.first) first -= begin;
  const std::size_t samples = std::size_t{end - begin} * pixel;
  const std::size_t offset = (std::size_t{spec.source.left} + begin) * pixel;

  const std::size_t sums_stride = samples + kTrianglePadding;
  tensor::AlignedBuffer<float> sums(kTriangleRows * sums_stride);
  std::fill(sums.begin(), sums.end(), 0.0f);
  const std::size_t row_bytes = spec.window.width * pixel;
  const std::size_t bytes_stride = row_bytes + kTrianglePadding;
  tensor::AlignedBuffer<std::uint8_t> bytes(kTriangleRows * bytes_stride);
  std::array<const float*, kTriangleRows> inputs{};
  std::array<std::uint8_t*, kTriangleRows> outputs{};
  for (std::size_t k = 0; k < kTriangleRows; ++k) {
    inputs[k] = sums.data() + k * sums_stride;
    outputs[k] = bytes.data() + k * bytes_stride;
  }
  std::vector<const std::uint8_t*> taps(vertical.stride);
  for (std::uint32_t y = 0; y < spec.window.height; y += kTriangleRows) {
    const auto count = std::min<std::uint32_t>(kTriangleRows, spec.window.height - y);
    // Neighbouring outputs share rows: a strip of them stays in the cache.
    for (std::size_t at = 0; at < samples; at += kStripSamples) {
      const std::size_t strip = std::min(kStripSamples, samples - at);
      for (std::uint32_t k = 0; k < count; ++k) {
        const std::uint32_t i = y + k;
        for (std::uint32_t tap = 0; tap < vertical.count[i]; ++tap)
          taps[tap] = image.row(spec.source.top + vertical.first[i] + tap) + offset + at;
        triangle_columns(taps.data(), vertical.weight.data() + i * vertical.stride,
                         vertical.count[i], strip, sums.data() + k * sums_stride + at);
      }
    }
    triangle_rows(inputs.data(), static_cast<int>(pixel), horizontal, outputs.data());
    for (std::uint32_t k = 0; k < count; ++k)
      std::memcpy(out + (y + k) * stride, outputs[k], row_bytes);
  }
}

std::uint64_t resize_window_triangle_bytes(const ResizeWindow& spec, int channels) {
  const auto pixel = static_cast<std::uint64_t>(channels);
  return weights_bytes(spec.source.width, spec.size.width, horizontal_span(spec)) +
         weights_bytes(spec.source.height, spec.size.height, vertical_span(spec)) +
         most_taps(spec.source.height, spec.size.height) * sizeof(const std::uint8_t*) +
         kTriangleRows * (pixel * spec.source.width + kTrianglePadding) * sizeof(float) +
         kTriangleRows * (pixel * spec.window.width + kTrianglePadding) + 2 * tensor::kAlignment;
}

}  // namespace vecframe::image
