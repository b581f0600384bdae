// How int8 products see their inputs. Weights are signed and symmetric, one scale for each output
// channel. Inputs are unsigned, one scale and one zero point for each row, found when the row
// comes. Sums are exact integers, so every backend gives the same.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>

namespace vecframe::tensor {

inline constexpr std::int32_t kLargestInt8Weight = 127;
inline constexpr std::int32_t kLargestInt8Input = 255;
/// Products a sum of 32 bits holds whatever their values.
inline constexpr std::int64_t kLongestInt8Sum =
    std::numeric_limits<std::int32_t>::max() / (kLargestInt8Weight * kLargestInt8Input);
/// Below, a reciprocal would overflow; such values count as zero.
inline constexpr float kLeastInt8Range = 1e-30f;

/// A value x is stored as round(x * inverse) + zero, and stands for (stored - zero) * scale.
struct Int8Scale {
  float scale = 0;
  float inverse = 0;
  std::int32_t zero = 0;
};

/// Of a row of inputs whose values lie within [low, high]. A row that is not finite, where low or
/// high is NaN or infinite, has the scale NaN: so has all that is computed from it.
inline Int8Scale int8_input_scale(float low, float high) {
  const float range = std::max(high, 0.0f) - std::min(low, 0.0f);
  if (!(range <= std::numeric_limits<float>::max()))
    return {std::numeric_limits<float>::quiet_NaN(), 0, 0};
  if (range < kLeastInt8Range) return {};
  const float inverse = kLargestInt8Input / range;
  return {range / kLargestInt8Input, inverse,
          static_cast<std::int32_t>(std::nearbyint(-std::min(low, 0.0f) * inverse))};
}

/// Of an output channel's weights, the largest of which is `largest`.
inline Int8Scale int8_weight_scale(float largest) {
  if (!(largest <= std::numeric_limits<float>::max()))
    return {std::numeric_limits<float>::quiet_NaN(), 0, 0};
  if (largest < kLeastInt8Range) return {};
  return {largest / kLargestInt8Weight, kLargestInt8Weight / largest, 0};
}

/// What is stored for `value`, within [low, high].
inline std::int32_t to_int8(float value, const Int8Scale& scale, std::int32_t low,
                            std::int32_t high) {
  if (scale.inverse == 0) return std::clamp(scale.zero, low, high);
  const auto rounded = static_cast<std::int32_t>(std::nearbyint(value * scale.inverse));
  return std::clamp(rounded + scale.zero, low, high);
}

}  // namespace vecframe::tensor
