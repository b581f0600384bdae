// The matrix product behind linear layers, patch embeddings and dense convolutions: rows come from
// a source, block by block, and go through an epilogue to their place.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "backends/cpu/packed.h"
#include "backends/cpu/team.h"
#include "tensor/aligned_buffer.h"
#include "tensor/int8.h"

namespace vecframe::backends::cpu {

/// A buffer that grows and is then kept: a stream that repeats its work allocates nothing.
class Scratch {
 public:
  float* floats(std::int64_t count) { return reinterpret_cast<float*>(words(count)); }
  std::uint32_t* words(std::int64_t count) {
    if (static_cast<std::int64_t>(buffer_.size()) < count) {
      buffer_ = {};
      buffer_ = tensor::AlignedBuffer<std::uint32_t>(static_cast<std::size_t>(count));
    }
    return buffer_.data();
  }

 private:
  tensor::AlignedBuffer<std::uint32_t> buffer_;
};

struct ProductScratch {
  Scratch inputs, sums, row;
  Team* team = nullptr;                   ///< null: the caller's thread alone
  std::vector<Scratch> helper_sums;       ///< one for each of the team but the caller
  std::vector<tensor::Int8Scale> scales;  ///< of the rows of a block; of integer products only
};

/// Output row m lies at row m + m / rows_per_group * gap of y: a gap makes room for other tokens
/// of an image.
struct ProductOutput {
  compute::Matrix y;
  compute::Matrix residual;
  compute::Activation activation = compute::Activation::kNone;
  std::int64_t rows_per_group = 0, gap = 0;
  bool activates_sum = false;  ///< the residual comes before the activation
};

/// Rows of x that meet all panels before the next ones come; `depth` is that of the packed matrix.
std::int64_t rows_a_block(std::int64_t rows, std::int64_t depth);

/// Stores one input row in the product's format; `to` has matrix.depth elements. `scale` is written
/// by integer products only.
void store_input(const Isa& isa, const PackedMatrix& matrix, const float* from, std::uint32_t* to,
                 tensor::Int8Scale* scale);

/// One block of input rows, and their scales if they have any, against all panels, which the team
/// shares; rows first_row and following of the output.
void multiply_block(const Isa& isa, const PackedMatrix& matrix, const std::uint32_t* inputs,
                    std::int64_t stride, const tensor::Int8Scale* scales, std::int64_t first_row,
                    std::int64_t rows, ProductScratch& scratch, const ProductOutput& output);

/// The product of rows that lie in bf16, with weights in pairs of it.
void product_of_narrow(const Isa& isa, const PackedMatrix& matrix, compute::Matrix x,
                       ProductScratch& scratch, const ProductOutput& output);

/// `source(m, scratch)` returns a pointer to the matrix.k values of input row m: in place, or
/// written to scratch.
template <class Source>
void product(const Isa& isa, const PackedMatrix& matrix, std::int64_t rows, Source source,
             ProductScratch& scratch, const ProductOutput& output) {
  // One line more than the row: rows a multiple of 4096 bytes apart would share cache sets.
  const std::int64_t stride = (matrix.depth + 15) / 16 * 16 + 16;
  const std::int64_t block = rows_a_block(rows, matrix.depth);
  std::uint32_t* inputs = scratch.inputs.words(block * stride);
  float* row = scratch.row.floats(matrix.k);
  if (is_integer(matrix.format)) scratch.scales.resize(static_cast<std::size_t>(block));
  tensor::Int8Scale* scales = scratch.scales.data();
  for (std::int64_t first = 0; first < rows; first += block) {
    const std::int64_t count = std::min(block, rows - first);
    for (std::int64_t r = 0; r < count; ++r) {
      std::uint32_t* to = inputs + r * stride;
      // A source that writes its row writes float32 where they are wanted.
      float* written = matrix.format == InputFormat::kFloat ? reinterpret_cast<float*>(to) : row;
      const float* from = source(first + r, written);
      if (from != reinterpret_cast<float*>(to)) store_input(isa, matrix, from, to, scales + r);
    }
    multiply_block(isa, matrix, inputs, stride, scales, first, count, scratch, output);
  }
}

}  // namespace vecframe::backends::cpu
