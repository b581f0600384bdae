#include "backends/cpu/packed.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "tensor/int8.h"

namespace vecframe::backends::cpu {
namespace {

using tensor::Precision;

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
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

std::int64_t values_a_word(InputFormat format) {
  switch (format) {
    case InputFormat::kFloat:
    case InputFormat::kRoundedFloat:
      return 1;
    case InputFormat::kBf16Pairs:
    case InputFormat::kInt16Pairs:
      return 2;
    case InputFormat::kInt8Quads:
      return 4;
  }
  return 1;
}

std::int64_t panel_columns_of(const Isa& isa, InputFormat format) {
  if (format == InputFormat::kBf16Pairs) return isa.bf16->panel_columns;
  if (format == InputFormat::kInt8Quads) return isa.int8->panel_columns;
  return isa.kernels->panel_columns;
}

// (rows, columns) to (columns, rows), in squares whose lines stay in the first-level cache.
void transpose(const std::uint32_t* from, std::int64_t rows, std::int64_t columns,
               std::uint32_t* to) {
  constexpr std::int64_t kSide = 16;
  for (std::int64_t first = 0; first < columns; first += kSide) {
    const std::int64_t end = std::min(first + kSide, columns);
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t c = first; c < end; ++c) to[c * rows + r] = from[r * columns + c];
  }
}

// One for some megabytes each, of those that the process may run on.
int packing_threads(std::int64_t weights) {
  constexpr std::int64_t kWeightsAThread = 512 * 1024;
  constexpr std::int64_t kMost = 8;
  static const std::int64_t cores = [] {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? std::int64_t{CPU_COUNT(&set)} : 1;
  }();
  return static_cast<int>(std::clamp<std::int64_t>(
      weights / kWeightsAThread, 1, std::min(kMost, std::max<std::int64_t>(cores, 1))));
}

tensor::AlignedBuffer<float> padded(std::span<const float> values, std::int64_t size) {
  tensor::AlignedBuffer<float> buffer(static_cast<std::size_t>(size));
  std::fill(std::copy(values.begin(), values.end(), buffer.begin()), buffer.end(), 0.0f);
  return buffer;
}

}  // namespace

InputFormat format_of(const Isa& isa, Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return InputFormat::kFloat;
    case Precision::kBf16:
      return isa.bf16 != nullptr ? InputFormat::kBf16Pairs : InputFormat::kRoundedFloat;
    case Precision::kInt8:
      return isa.int8 != nullptr ? InputFormat::kInt8Quads : InputFormat::kInt16Pairs;
    case Precision::kFp16:
      throw std::invalid_argument("cpu: no products of precision fp16");
  }
  return InputFormat::kFloat;
}

std::int64_t weight_bytes(InputFormat format) {
  return static_cast<std::int64_t>(sizeof(std::uint32_t)) / values_a_word(format);
}

PackedMatrix::PackedMatrix(const Isa& isa, Precision precision, std::span<const float> weight,
                           std::span<const float> bias_values, std::int64_t n_, std::int64_t k_,
                           std::span<const std::int64_t> order)
    : n(n_),
      k(k_),
      format(format_of(isa, precision)),
      panel_columns(panel_columns_of(isa, format)),
      depth((k + values_a_word(format) - 1) / values_a_word(format)),
      data(static_cast<std::size_t>(round_up(n, panel_columns) * depth)),
      bias(padded(bias_values, round_up(n, panel_columns))) {
  if (is_integer(format)) {
    if (k > tensor::kLongestInt8Sum) {
      throw std::invalid_argument(
          fmt::format("int8: a row of {} weights is longer than {}", k, tensor::kLongestInt8Sum));
    }
    column_scales = padded({}, round_up(n, panel_columns));
    column_sums = tensor::AlignedBuffer<std::int32_t>(static_cast<std::size_t>(bias.size()));
    std::fill(column_sums.begin(), column_sums.end(), 0);
  }
  // The kernel clears a page when it is first written: threads share that work too.
  const int threads = packing_threads(n * k);
  const auto pack_share = [&](int index) {
    const Share columns = share_of(n, panel_columns, index, threads);
    pack_columns(isa, columns, weight.data(), order);
  };
  if (threads == 1) {
    pack_share(0);
  } else {
    Team(threads).run(pack_share);
  }
}

void PackedMatrix::pack_columns(const Isa& isa, Share columns, const float* weight,
                                std::span<const std::int64_t> order) {
  tensor::AlignedBuffer<std::uint32_t> rows(static_cast<std::size_t>(panel_columns * depth));
  std::vector<float> ordered(order.size());
  for (std::int64_t first = columns.begin; first < columns.end; first += panel_columns) {
    const std::int64_t count = std::min(panel_columns, n - first);
    for (std::int64_t j = 0; j < count; ++j) {
      const float* from = weight + (first + j) * k;
      for (std::size_t i = 0; i < order.size(); ++i) ordered[i] = from[order[i]];
      store_column(isa, first + j, order.empty() ? from : ordered.data(), rows.data() + j * depth);
    }
    std::fill(rows.data() + count * depth, rows.end(), 0);
    transpose(rows.data(), panel_columns, depth, data.data() + first * depth);
  }
}

void PackedMatrix::store_column(const Isa& isa, std::int64_t column, const float* from,
                                std::uint32_t* to) {
  if (!is_integer(format)) return store_floats(isa, format, from, k, to);
  const auto at = static_cast<std::size_t>(column);
  float low, high;
  isa.kernels->value_range(from, k, &low, &high);
  const tensor::Int8Scale scale = tensor::int8_weight_scale(std::max(high, -low));
  const bool quads = format == InputFormat::kInt8Quads;
  isa.kernels->narrow(from, k, scale, quads ? Narrow::kWeight8 : Narrow::kWeight16, to);
  column_scales[at] = scale.scale;
  std::int32_t sum = 0;
  for (std::int64_t i = 0; i < k; ++i)
    sum += quads ? reinterpret_cast<const std::int8_t*>(to)[i]
                 : reinterpret_cast<const std::int16_t*>(to)[i];
  column_sums[at] = sum;
}

void store_floats(const Isa& isa, InputFormat format, const float* from, std::int64_t count,
                  std::uint32_t* to) {
  switch (format) {
    case InputFormat::kFloat:
      std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(float));
      return;
    case InputFormat::kRoundedFloat:
      return isa.kernels->round_to_bf16(from, count, reinterpret_cast<float*>(to));
    case InputFormat::kBf16Pairs:
      isa.bf16->convert(from, count, to);
      return;
    case InputFormat::kInt8Quads:
    case InputFormat::kInt16Pairs:
      throw std::logic_error("integers need a scale");
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
