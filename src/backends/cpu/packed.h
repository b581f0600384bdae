// Weights as the kernels read them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "backends/cpu/bf16_kernels.h"
#include "backends/cpu/int8_kernels.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/team.h"
#include "compute/backend.h"
#include "tensor/aligned_buffer.h"
#include "tensor/dtype.h"

namespace vecframe::backends::cpu {

/// What dispatch chose for this machine, or a test for itself.
struct Isa {
  const Kernels* kernels = nullptr;
  const Bf16Kernels* bf16 = nullptr;  ///< null: bf16 products are emulated by rounding
  const Int8Kernels* int8 = nullptr;  ///< null: int8 products are made of 16-bit ones
};

/// How the inputs of a product are stored.
enum class InputFormat : std::uint8_t {
  kFloat,         ///< float32
  kRoundedFloat,  ///< float32 that bf16 can hold: bf16 without an instruction for it
  kBf16Pairs,     ///< two bf16 in 32 bits
  kInt8Quads,     ///< four 8-bit integers in 32 bits
  kInt16Pairs,    ///< two 8-bit integers in 32 bits: int8 without an instruction for it
};

InputFormat format_of(const Isa& isa, tensor::Precision precision);
/// Bytes of a packed weight.
std::int64_t weight_bytes(InputFormat format);
/// Whether sums are integers, and rows and columns have scales.
inline bool is_integer(InputFormat format) {
  return format == InputFormat::kInt8Quads || format == InputFormat::kInt16Pairs;
}

/// The matrix of y = x W^T + b in panels: [ceil(n / panel)][depth][panel], where an element of a
/// panel is the 32 bits of one input format, and padding is zero. One panel is read from front to
/// back for every tile of rows.
struct PackedMatrix {
  /// `weight` is (n, k) row-major; `order[i]` is the column that goes to place i, or empty.
  PackedMatrix(const Isa& isa, tensor::Precision precision, std::span<const float> weight,
               std::span<const float> bias, std::int64_t n, std::int64_t k,
               std::span<const std::int64_t> order = {});
  std::size_t bytes() const {
    return data.size_bytes() + bias.size_bytes() + column_scales.size_bytes() +
           column_sums.size_bytes();
  }
  const std::uint32_t* panel(std::int64_t first_column) const {
    return data.data() + first_column * depth;
  }
  /// The weights of one column, in order, as the product's input format; `to` has `depth` elements.
  void store_column(const Isa& isa, std::int64_t column, const float* from, std::uint32_t* to);

  void pack_columns(const Isa& isa, Share columns, const float* weight,
                    std::span<const std::int64_t> order);

  std::int64_t n, k;
  InputFormat format;
  std::int64_t panel_columns;
  std::int64_t depth;  // 32-bit elements a column: k, or its pairs or quads
  tensor::AlignedBuffer<std::uint32_t> data;
  // Padded to whole panels.
  tensor::AlignedBuffer<float> bias;
  tensor::AlignedBuffer<float> column_scales;       // integers only: of the column's weights
  tensor::AlignedBuffer<std::int32_t> column_sums;  // integers only: of the column's stored weights
};

/// `count` values in a format that is not integer.
void store_floats(const Isa& isa, InputFormat format, const float* from, std::int64_t count,
                  std::uint32_t* to);

class CpuVector final : public compute::Vector {
 public:
  explicit CpuVector(std::span<const float> from);
  std::size_t bytes() const override { return values.size_bytes(); }

  tensor::AlignedBuffer<float> values;
};

class CpuLinear final : public compute::Linear {
 public:
  CpuLinear(const Isa& isa, const compute::LinearWeights& from, tensor::Precision precision)
      : matrix(isa, precision, from.weight, from.bias, from.out_features, from.in_features) {}
  std::size_t bytes() const override { return matrix.bytes(); }

  PackedMatrix matrix;
};

/// Columns in the order of the pixels, (y, x, channel): a patch is then `patch` runs of bytes.
class CpuPatchEmbedding final : public compute::PatchEmbedding {
 public:
  CpuPatchEmbedding(const Isa& isa, const compute::PatchWeights& from, tensor::Precision precision);
  std::size_t bytes() const override { return matrix.bytes(); }

  std::int64_t patch;
  PackedMatrix matrix;
};

/// Dense, as a product with windows in the order (y, x, channel).
class DenseConvolution final : public compute::Convolution {
 public:
  DenseConvolution(const Isa& isa, const compute::ConvolutionWeights& from,
                   tensor::Precision precision);
  std::size_t bytes() const override { return matrix.bytes(); }

  compute::ConvolutionWeights shape;  // sizes only
  PackedMatrix matrix;
};

inline constexpr std::int64_t kMaxDepthwiseKernel = 31;

/// Depthwise: no matrix product, so float32 at every precision.
class DepthwiseConvolution final : public compute::Convolution {
 public:
  explicit DepthwiseConvolution(const compute::ConvolutionWeights& from);
  std::size_t bytes() const override { return weight.size_bytes() + bias.size_bytes(); }

  compute::ConvolutionWeights shape;    // sizes only
  tensor::AlignedBuffer<float> weight;  // (kernel, kernel, channels)
  tensor::AlignedBuffer<float> bias;    // (channels)
};

}  // namespace vecframe::backends::cpu
