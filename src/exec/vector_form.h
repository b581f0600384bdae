// What is kept of the vectors that an embedder makes.
#pragma once

#include <cstdint>
#include <optional>

#include "tensor/dtype.h"

namespace vecframe::exec {

struct VectorForm {
  std::optional<std::int64_t> dimensions;       ///< the first so many values; else all
  bool normalize = false;                       ///< divide what is kept by its L2 norm; zeros stay
  tensor::DType element = tensor::DType::kF32;  ///< of the column: float32 or float16

  /// Length of what is kept of vectors of this length.
  std::int64_t kept(std::int64_t dimension) const { return dimensions.value_or(dimension); }
};

}  // namespace vecframe::exec
