// Kernels on bf16 values, where the CPU has an instruction for their products.
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
  /// Rows of pairs to panels of columns: [ceil(rows / panel)][pairs][panel], zero behind the last
  /// row. Rows are x_stride pairs apart.
  void (*pack_rows)(const std::uint32_t* x, std::int64_t x_stride, std::int64_t rows,
                    std::int64_t pairs, std::uint32_t* to);
  /// Pairs of rows to panels: [ceil(columns / panel)][ceil(rows / 2)][panel], where a pair is the
  /// values of two rows in one column; zero behind the last row and column. Rows are x_stride
  /// values apart.
  void (*pack_row_pairs)(const std::uint16_t* x, std::int64_t x_stride, std::int64_t rows,
                         std::int64_t columns, std::uint32_t* to);
  /// exp(scale * (scores - largest of them)) of the first `count`, as pairs, zero behind them up to
  /// `filled`, a multiple of 32. Returns 1 / their sum before they were rounded. scale > 0.
  float (*exp_row)(const float* scores, float scale, std::int64_t count, std::int64_t filled,
                   std::uint32_t* to);
};

/// Null where the CPU has no such instruction.
const Bf16Kernels* bf16_kernels();

}  // namespace vecframe::backends::cpu
