// The two inner loops of resize_triangle.h, compiled for every instruction set and chosen when they
// run. Products are rounded before they are added, and added in the order of the taps, so every
// instruction set gives the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace vecframe::image {

/// Float32 weights: output i is the sum of count[i] inputs from first[i] on, its weights at
/// i * stride.
struct TriangleWeights {
  std::size_t stride = 0;
  std::vector<std::uint32_t> first, count;
  std::vector<float> weight;

  std::uint32_t size() const { return static_cast<std::uint32_t>(first.size()); }
};

/// Rows that triangle_rows() takes at a time, so that their sums do not wait for one another.
inline constexpr std::size_t kTriangleRows = 4;
/// Values that the kernels read, or write, behind the end of a row of floats or of outputs.
inline constexpr std::size_t kTrianglePadding = 3;

/// Sums `count` rows of `samples` bytes, rows[k] times weight[k], into `sums` (samples).
void triangle_columns(const std::uint8_t* const* rows, const float* weight, std::uint32_t count,
                      std::size_t samples, float* sums);

/// Resamples kTriangleRows rows of floats (width, channels) into rows of bytes
/// (weights.size(), channels), rounded half away from zero and clamped.
void triangle_rows(const float* const* rows, int channels, const TriangleWeights& weights,
                   std::uint8_t* const* outputs);

}  // namespace vecframe::image
