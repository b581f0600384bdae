// The fixed-point weights of one axis of a separable resampling.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "image/resize.h"
#include "image/resize_window.h"

namespace vecframe::image {

/// A run of outputs [begin, begin + count) of one axis.
struct Span {
  std::uint32_t begin = 0;
  std::uint32_t count = 0;
};

/// The input of one axis: `count` samples, of whose outermost `before` and `after` do not belong to
/// it.
struct Samples {
  std::uint32_t count = 0;
  double before = 0, after = 0;

  double length() const { return count - before - after; }
};
inline Samples columns_of(const ResizeWindow& spec) {
  return {spec.source.width, spec.margins.left, spec.margins.right};
}
inline Samples rows_of(const ResizeWindow& spec) {
  return {spec.source.height, spec.margins.top, spec.margins.bottom};
}

/// Weights in the form the kernels multiply: two taps to an int32, the earlier one in the low half.
/// A weight of more than 16 bits is split as high * 256 + low, with 0 <= low < 256; since sums are
/// taken modulo 2^32, (sum of high * pixel) * 256 + (sum of low * pixel) is the unsplit sum.
struct AxisWeights {
  /// Fraction bits.
  int bits = 0;
  /// Whether `low` is in use; without it `high` holds the weights themselves.
  bool split = false;
  /// Pairs stored for every output; `high` and `low` hold this many entries an output.
  std::uint32_t stride = 0;
  std::vector<std::uint32_t> first;  ///< input index of the first tap, an output
  std::vector<std::uint32_t> pairs;  ///< pairs in use, an output
  std::vector<std::int32_t> high;
  std::vector<std::int32_t> low;

  std::uint32_t size() const { return static_cast<std::uint32_t>(first.size()); }
  /// One past the last input index that output `i` may read.
  std::uint32_t end(std::uint32_t i) const { return first[i] + 2 * pairs[i]; }
};

/// Outputs `span` of the axis that resamples `in` to `n_out` samples, rounded as the whole axis
/// would be. With `even`, every first tap is an even index. The last tap may lie one past the
/// input, and has then weight 0. `filter` is not kNearest.
AxisWeights axis_weights(Samples in, std::uint32_t n_out, Span span, Filter filter,
                         Resampler resampler, bool even);

/// Upper bound of the bytes that axis_weights() holds at its peak.
std::uint64_t axis_weights_bytes(std::uint32_t n_in, std::uint32_t n_out, Span span, Filter filter);

/// The weights before they are rounded to fixed point: output i is the sum of count[i] inputs from
/// first[i] on, its weights at i * stride.
struct FloatWeights {
  std::size_t stride = 0;
  std::vector<std::uint32_t> first, count;
  std::vector<float> weight;
};
/// As axis_weights().
FloatWeights float_weights(Samples in, std::uint32_t n_out, Span span, Filter filter);
std::uint64_t float_weights_bytes(std::uint32_t n_in, std::uint32_t n_out, Span span,
                                  Filter filter);

/// Upper bound of the taps of one output, rounded up to whole pairs.
std::uint64_t max_taps(std::uint32_t n_in, std::uint32_t n_out, Filter filter);

/// Input index of each output of `span` under kNearest.
std::vector<std::uint32_t> nearest_positions(std::uint32_t n_in, std::uint32_t n_out, Span span);

}  // namespace vecframe::image
