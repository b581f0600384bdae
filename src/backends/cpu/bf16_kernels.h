// Matrix products on pairs of bf16 values, where the CPU has an instruction for them.
#pragma once

#include <cstdint>

namespace vecframe::backends::cpu {

struct Bf16Kernels {
  std::int64_t panel_columns;

  /// c (rows, panel_columns) [+]= x * w. x holds `pairs` pairs of bf16 values a row, rows x_stride
  /// pairs apart; w is one panel (pairs, panel_columns) of pairs.
  void (*multiply)(const std::uint32_t* x, std::int64_t x_stride, const std::uint32_t* w,
                   std::int64_t pairs, std::int64_t rows, bool accumulate, float* c,
                   std::int64_t c_stride);
  /// Rounds to nearest even; an odd count is completed by a zero.
  void (*convert)(const float* from, std::int64_t count, std::uint32_t* to);
};

/// Null where the CPU has no such instruction.
const Bf16Kernels* bf16_kernels();

}  // namespace vecframe::backends::cpu
