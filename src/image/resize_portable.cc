#include "image/resize_portable.h"

#include <algorithm>

namespace vecframe::image {
namespace {

std::int32_t half_of(std::int32_t pair, std::uint32_t tap) {
  const auto bits = static_cast<std::uint32_t>(pair) >> (tap % 2 != 0 ? 16 : 0);
  return static_cast<std::int16_t>(bits);
}

std::uint32_t weight(const AxisWeights& weights, std::uint32_t i, std::uint32_t tap) {
  const std::size_t at = std::size_t{weights.stride} * i + tap / 2;
  const std::int32_t high = half_of(weights.high[at], tap);
  return static_cast<std::uint32_t>(weights.split ? high * 256 + half_of(weights.low[at], tap)
                                                  : high);
}

std::uint32_t half(const AxisWeights& weights) {
  return weights.bits > 0 ? 1u << (weights.bits - 1) : 0u;
}

std::uint8_t sample(std::uint32_t sum, const AxisWeights& weights) {
  return static_cast<std::uint8_t>(
      std::clamp(static_cast<std::int32_t>(sum) >> weights.bits, 0, 255));
}

}  // namespace

void horizontal_pass_portable(const std::uint8_t* const* inputs, std::uint32_t columns,
                              int channels, const AxisWeights& weights,
                              std::uint8_t* const* outputs, std::uint32_t num_outputs) {
  const auto pixel = static_cast<std::size_t>(channels);
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    const std::uint32_t taps = std::min(weights.end(i), columns) - weights.first[i];
    for (std::uint32_t row = 0; row < num_outputs; ++row) {
      const std::uint8_t* input = inputs[row] + weights.first[i] * pixel;
      for (std::size_t c = 0; c < pixel; ++c) {
        std::uint32_t sum = half(weights);
        for (std::uint32_t tap = 0; tap < taps; ++tap)
          sum += weight(weights, i, tap) * input[tap * pixel + c];
        outputs[row][i * pixel + c] = sample(sum, weights);
      }
    }
  }
}

void vertical_pass_portable(const std::uint8_t* const* rows, std::size_t bytes,
                            const AxisWeights& weights, std::uint32_t i, std::uint8_t* output) {
  for (std::size_t at = 0; at < bytes; ++at) {
    std::uint32_t sum = half(weights);
    for (std::uint32_t tap = 0; tap < 2 * weights.pairs[i]; ++tap)
      sum += weight(weights, i, tap) * rows[tap][at];
    output[at] = sample(sum, weights);
  }
}

}  // namespace vecframe::image
