#include "image/resize_weights.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace vecframe::image {
namespace {

constexpr int kMaxBits = 22;
constexpr int kLeastBitsToEnlarge = 14;
constexpr double kPi = 3.14159265358979323846;

double support_of(Filter filter) {
  switch (filter) {
    case Filter::kNearest:
    case Filter::kBox:
      return 0.5;
    case Filter::kBilinear:
      return 1.0;
    case Filter::kBicubic:
      return 2.0;
    case Filter::kLanczos:
      return 3.0;
  }
  return 0.0;
}

double sinc(double x) { return x == 0.0 ? 1.0 : std::sin(x * kPi) / (x * kPi); }

// The order of operations is part of the definition: the weights must round as Pillow's do.
template <Filter filter>
double kernel(double x) {
  if constexpr (filter == Filter::kBox) return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
  x = std::abs(x);
  if constexpr (filter == Filter::kBilinear) return x < 1.0 ? 1.0 - x : 0.0;
  if constexpr (filter == Filter::kBicubic) {
    constexpr double a = -0.5;
    if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
    return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * a : 0.0;
  }
  return x < 3.0 ? sinc(x) * sinc(x / 3.0) : 0.0;
}

struct Taps {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

class Axis {
 public:
  Axis(Samples in, std::uint32_t n_out, Filter filter)
      : n_in_(in.count),
        begin_(in.before),
        scale_(in.length() / n_out),
        stretch_(std::max(scale_, 1.0)),
        support_(support_of(filter) * stretch_) {}

  /// Writes the normalised weights of output `i` to `weights`.
  template <Filter filter>
  Taps weigh(std::uint32_t i, double* weights) const {
    const double center = begin_ + (i + 0.5) * scale_;
    const double from = center - support_ + 0.5;
    const auto lo = from > 0.0 ? static_cast<std::uint32_t>(from) : 0u;
    const double to = std::min<double>(center + support_ + 0.5, n_in_);
    const auto hi = std::max(static_cast<std::uint32_t>(to), lo);
    const double inverse = 1.0 / stretch_;
    double sum = 0.0;
    for (std::uint32_t j = 0; j < hi - lo; ++j) {
      const double position = static_cast<double>(j) + lo;
      weights[j] = kernel<filter>((position - center + 0.5) * inverse);
      sum += weights[j];
    }
    if (sum != 0.0) {
      const double factor = 1.0 / sum;
      for (std::uint32_t j = 0; j < hi - lo; ++j) weights[j] *= factor;
    }
    return {lo, hi - lo};
  }

 private:
  std::uint32_t n_in_;
  double begin_, scale_, stretch_, support_;
};

std::int32_t round_half_away(double weight, int bits) {
  const double scaled = weight * static_cast<double>(1 << bits);
  return static_cast<std::int32_t>(scaled + (weight < 0.0 ? -0.5 : 0.5));
}

int fraction_bits(double largest, Resampler resampler) {
  if (resampler != Resampler::kTorchvision) return kMaxBits;
  int bits = 0;
  while (bits < kMaxBits &&
         static_cast<std::int64_t>(0.5 + largest * static_cast<double>(1 << (bits + 1))) < 1 << 15)
    ++bits;
  return bits;
}

std::int32_t pack(std::int32_t low_half, std::int32_t high_half) {
  return static_cast<std::int32_t>((static_cast<std::uint32_t>(high_half) << 16) |
                                   (static_cast<std::uint32_t>(low_half) & 0xFFFFu));
}

template <Filter filter>
AxisWeights weights_of(Samples in, std::uint32_t n_out, Span span, Resampler resampler, bool even) {
  const std::uint32_t n_in = in.count;
  const Axis axis(in, n_out, filter);
  const std::size_t row = max_taps(n_in, n_out, filter);
  const bool torch = resampler == Resampler::kTorchvision;

  std::vector<double> exact(row * span.count);
  std::vector<Taps> taps(span.count);
  double largest = 0.0;
  const auto note_largest = [&largest](const double* weights, std::uint32_t count) {
    for (std::uint32_t j = 0; j < count; ++j) largest = std::max(largest, weights[j]);
  };
  for (std::uint32_t i = 0; i < span.count; ++i) {
    double* weights = exact.data() + row * i;
    taps[i] = axis.weigh<filter>(span.begin + i, weights);
    note_largest(weights, taps[i].count);
  }
  if (torch && span.count < n_out) {  // torch chooses its precision by the largest of all weights
    std::vector<double> weights(row);
    // Enlarging, no weight comes near 2 (the largest is about 1.3, at the ends of a Lanczos axis),
    // so that the precision cannot fall below 14 bits. That ends the search at once, however many
    // outputs there are.
    const auto settled = [&] {
      return n_out > n_in && fraction_bits(largest, resampler) == kLeastBitsToEnlarge;
    };
    const auto scan = [&](std::uint32_t begin, std::uint32_t end) {
      for (std::uint32_t i = begin; i < end && !settled(); ++i) {
        const Taps outside = axis.weigh<filter>(i, weights.data());
        note_largest(weights.data(), outside.count);
      }
    };
    scan(0, span.begin);
    scan(span.begin + span.count, n_out);
  }

  AxisWeights result;
  result.bits = fraction_bits(largest, resampler);
  result.split = !torch;
  result.stride = static_cast<std::uint32_t>(row / 2 + 1);
  result.first.resize(span.count);
  result.pairs.resize(span.count);
  result.high.assign(std::size_t{result.stride} * span.count, 0);
  if (result.split) result.low.assign(result.high.size(), 0);
  for (std::uint32_t i = 0; i < span.count; ++i) {
    const double* weights = exact.data() + row * i;
    const std::uint32_t skip = even ? taps[i].first & 1u : 0u;
    const std::uint32_t pairs = (taps[i].count + skip + 1) / 2;
    result.first[i] = taps[i].first - skip;
    result.pairs[i] = pairs;
    const auto tap = [&](std::uint32_t j) {  // j counts from `first`
      return j < skip || j - skip >= taps[i].count
                 ? 0
                 : round_half_away(weights[j - skip], result.bits);
    };
    for (std::uint32_t k = 0; k < pairs; ++k) {
      const std::int32_t a = tap(2 * k), b = tap(2 * k + 1);
      const std::size_t at = std::size_t{result.stride} * i + k;
      result.high[at] = result.split ? pack(a >> 8, b >> 8) : pack(a, b);
      if (result.split) result.low[at] = pack(a & 255, b & 255);
    }
  }
  return result;
}

template <Filter filter>
FloatWeights floats_of(Samples in, std::uint32_t n_out, Span span) {
  const Axis axis(in, n_out, filter);
  FloatWeights result;
  result.stride = max_taps(in.count, n_out, filter);
  result.first.resize(span.count);
  result.count.resize(span.count);
  result.weight.resize(result.stride * span.count);
  std::vector<double> exact(result.stride);
  for (std::uint32_t i = 0; i < span.count; ++i) {
    const Taps taps = axis.weigh<filter>(span.begin + i, exact.data());
    result.first[i] = taps.first;
    result.count[i] = taps.count;
    for (std::uint32_t k = 0; k < taps.count; ++k)
      result.weight[result.stride * i + k] = static_cast<float>(exact[k]);
  }
  return result;
}

}  // namespace

FloatWeights float_weights(Samples in, std::uint32_t n_out, Span span, Filter filter) {
  switch (filter) {
    case Filter::kNearest:
      break;
    case Filter::kBox:
      return floats_of<Filter::kBox>(in, n_out, span);
    case Filter::kBilinear:
      return floats_of<Filter::kBilinear>(in, n_out, span);
    case Filter::kBicubic:
      return floats_of<Filter::kBicubic>(in, n_out, span);
    case Filter::kLanczos:
      return floats_of<Filter::kLanczos>(in, n_out, span);
  }
  return {};
}

std::uint64_t float_weights_bytes(std::uint32_t n_in, std::uint32_t n_out, Span span,
                                  Filter filter) {
  const std::uint64_t taps = max_taps(n_in, n_out, filter);
  return (taps * sizeof(float) + 2 * sizeof(std::uint32_t)) * span.count + taps * sizeof(double);
}

std::uint64_t max_taps(std::uint32_t n_in, std::uint32_t n_out, Filter filter) {
  const double stretch = std::max(static_cast<double>(n_in) / n_out, 1.0);
  const auto reach = static_cast<std::uint64_t>(std::ceil(support_of(filter) * stretch));
  return (std::min<std::uint64_t>(2 * reach + 1, n_in) + 1) / 2 * 2;
}

std::uint64_t axis_weights_bytes(std::uint32_t n_in, std::uint32_t n_out, Span span,
                                 Filter filter) {
  const std::uint64_t taps = max_taps(n_in, n_out, filter);
  const std::uint64_t an_output = taps * sizeof(double) + sizeof(Taps) +  // before rounding
                                  2 * sizeof(std::uint32_t) +
                                  2 * (taps / 2 + 1) * sizeof(std::int32_t);  // the result
  return an_output * span.count + taps * sizeof(double);
}

AxisWeights axis_weights(Samples in, std::uint32_t n_out, Span span, Filter filter,
                         Resampler resampler, bool even) {
  switch (filter) {
    case Filter::kNearest:
      break;
    case Filter::kBox:
      return weights_of<Filter::kBox>(in, n_out, span, resampler, even);
    case Filter::kBilinear:
      return weights_of<Filter::kBilinear>(in, n_out, span, resampler, even);
    case Filter::kBicubic:
      return weights_of<Filter::kBicubic>(in, n_out, span, resampler, even);
    case Filter::kLanczos:
      return weights_of<Filter::kLanczos>(in, n_out, span, resampler, even);
  }
  return {};
}

std::vector<std::uint32_t> nearest_positions(std::uint32_t n_in, std::uint32_t n_out, Span span) {
  std::vector<std::uint32_t> positions(span.count);
  const double scale = static_cast<double>(n_in) / n_out;
  double position = scale * 0.5;  // accumulated, not multiplied: the rounding is Pillow's
  for (std::uint32_t i = 0; i < span.begin + span.count; ++i, position += scale)
    if (i >= span.begin)
      positions[i - span.begin] = std::min(static_cast<std::uint32_t>(position), n_in - 1);
  return positions;
}

}  // namespace vecframe::image
