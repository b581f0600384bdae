#include "backends/cpu/packed.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace vecframe::backends::cpu {
namespace {

using tensor::Precision;

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

InputFormat format_of(const Isa& isa, Precision precision) {
  if (precision == Precision::kFp32) return InputFormat::kFloat;
  return isa.bf16 != nullptr ? InputFormat::kBf16Pairs : InputFormat::kRoundedFloat;
}

// Place (y, x, channel) -> column (channel, y, x) of checkpoints.
std::vector<std::int64_t> channels_last(std::int64_t channels, std::int64_t side) {
  std::vector<std::int64_t> order;
  order.reserve(static_cast<std::size_t>(channels * side * side));
  for (std::int64_t y = 0; y < side; ++y)
    for (std::int64_t x = 0; x < side; ++x)
      for (std::int64_t c = 0; c < channels; ++c) order.push_back((c * side + y) * side + x);
  return order;
}

compute::ConvolutionWeights sizes_of(compute::ConvolutionWeights weights) {
  weights.weight = {};
  weights.bias = {};
  return weights;
}

tensor::AlignedBuffer<float> padded(std::span<const float> values, std::int64_t size) {
  tensor::AlignedBuffer<float> buffer(static_cast<std::size_t>(size));
  std::fill(std::copy(values.begin(), values.end(), buffer.begin()), buffer.end(), 0.0f);
  return buffer;
}

}  // namespace

PackedMatrix::PackedMatrix(const Isa& isa, Precision precision, std::span<const float> weight,
                           std::span<const float> bias_values, std::int64_t n_, std::int64_t k_,
                           std::span<const std::int64_t> order)
    : n(n_),
      k(k_),
      format(format_of(isa, precision)),
      panel_columns(format == InputFormat::kBf16Pairs ? isa.bf16->panel_columns
                                                      : isa.kernels->panel_columns),
      depth(format == InputFormat::kBf16Pairs ? (k + 1) / 2 : k),
      data(static_cast<std::size_t>(round_up(n, panel_columns) * depth)),
      bias(padded(bias_values, round_up(n, panel_columns))) {
  const auto value = [&](std::int64_t column, std::int64_t place) {
    if (column >= n || place >= k) return 0.0f;
    const std::int64_t from = order.empty() ? place : order[static_cast<std::size_t>(place)];
    return weight[static_cast<std::size_t>(column * k + from)];
  };
  for (std::int64_t first = 0; first < n; first += panel_columns) {
    std::uint32_t* panel_data = data.data() + first * depth;
    // Columns outside: each reads its weights from front to back.
    for (std::int64_t j = 0; j < panel_columns; ++j) {
      for (std::int64_t i = 0; i < depth; ++i) {
        std::uint32_t& element = panel_data[i * panel_columns + j];
        const float v = value(first + j, format == InputFormat::kBf16Pairs ? 2 * i : i);
        switch (format) {
          case InputFormat::kFloat:
            element = std::bit_cast<std::uint32_t>(v);
            break;
          case InputFormat::kRoundedFloat:
            element = std::uint32_t{tensor::float_to_bf16(v)} << 16;
            break;
          case InputFormat::kBf16Pairs:
            element = tensor::float_to_bf16(v) |
                      std::uint32_t{tensor::float_to_bf16(value(first + j, 2 * i + 1))} << 16;
            break;
        }
      }
    }
  }
}

CpuVector::CpuVector(std::span<const float> from)
    : values(padded(from, static_cast<std::int64_t>(from.size()))) {}

CpuPatchEmbedding::CpuPatchEmbedding(const Isa& isa, const compute::PatchWeights& from,
                                     Precision precision)
    : patch(from.patch),
      matrix(isa, precision, from.weight, from.bias, from.out_features, 3 * patch * patch,
             channels_last(3, patch)) {}

DenseConvolution::DenseConvolution(const Isa& isa, const compute::ConvolutionWeights& from,
                                   Precision precision)
    : shape(sizes_of(from)),
      matrix(isa, precision, from.weight, from.bias, from.out_channels,
             from.in_channels * from.kernel * from.kernel,
             channels_last(from.in_channels, from.kernel)) {}

DepthwiseConvolution::DepthwiseConvolution(const compute::ConvolutionWeights& from)
    : shape(sizes_of(from)),
      weight(from.weight.size()),
      bias(padded(from.bias, from.out_channels)) {
  const std::int64_t taps = from.kernel * from.kernel;
  for (std::int64_t c = 0; c < from.out_channels; ++c)
    for (std::int64_t tap = 0; tap < taps; ++tap)
      weight.data()[tap * from.out_channels + c] =
          from.weight[static_cast<std::size_t>(c * taps + tap)];
}

}  // namespace vecframe::backends::cpu
