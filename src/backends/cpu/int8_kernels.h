// Matrix products on four 8-bit values at a time, where the CPU has an instruction for them.
#pragma once

#include <cstdint>

namespace vecframe::backends::cpu {

struct Int8Kernels {
  std::int64_t panel_columns;

  /// c (rows, panel_columns) [+]= x * w. x holds `quads` of four uint8 a row, rows x_stride quads
  /// apart; w is one panel (quads, panel_columns) of four int8.
  void (*multiply)(const std::uint32_t* x, std::int64_t x_stride, const std::uint32_t* w,
                   std::int64_t quads, std::int64_t rows, bool accumulate, std::int32_t* c,
                   std::int64_t c_stride);
};

/// Null where the CPU has no such instruction.
const Int8Kernels* int8_kernels();

}  // namespace vecframe::backends::cpu
