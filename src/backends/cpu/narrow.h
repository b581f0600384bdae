// Matrices that are kept in bf16; see compute::Matrix::narrow.
#pragma once

#include <cstdint>

#include "backends/cpu/packed.h"
#include "compute/types.h"
#include "tensor/dtype.h"

namespace vecframe::backends::cpu {

/// Whether the matrix lies in bf16: where the machine multiplies such values, and rows are whole
/// pairs.
inline bool is_narrow(const Isa& isa, const compute::Matrix& matrix) {
  return matrix.narrow && isa.bf16 != nullptr && matrix.columns % 2 == 0 && matrix.stride % 2 == 0;
}

/// Row i of one that does; rows lie `stride` values apart.
inline std::uint16_t* narrow_row(const compute::Matrix& matrix, std::int64_t i) {
  return reinterpret_cast<std::uint16_t*>(matrix.data) + i * matrix.stride;
}

/// `count` values rounded to bf16. Nothing behind them is written.
inline void store_narrow(const Isa& isa, const float* from, std::int64_t count, std::uint16_t* to) {
  const std::int64_t even = count / 2 * 2;
  isa.bf16->convert(from, even, reinterpret_cast<std::uint32_t*>(to));
  if (count > even) to[even] = tensor::float_to_bf16(from[even]);
}

}  // namespace vecframe::backends::cpu
