// The inner loops of the CPU backend as a table of functions: one table for each instruction set,
// all compiled from kernels_simd.cc.
//
// A row's value never depends on the rows computed with it: every kernel adds over k in ascending
// order into one accumulator for each output value, whatever the height of its tile.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "compute/types.h"
#include "tensor/int8.h"

namespace vecframe::backends::cpu {

/// What happens to a block of sums before it becomes output: act(sum + bias) + residual, or act(sum
/// + bias + residual).
struct Epilogue {
  compute::Activation activation = compute::Activation::kNone;
  const float* bias = nullptr;      ///< (columns) or null
  const float* residual = nullptr;  ///< (rows, columns) or null; may be the output itself
  std::int64_t residual_stride = 0;
  bool activates_sum = false;
};

/// Depthwise convolution of one output row; `rows` are the kernel's input rows, null above and
/// below the map.
struct DepthwiseRow {
  const float* const* rows = nullptr;  ///< (kernel) of (in_width, channels)
  const float* weight = nullptr;       ///< (kernel, kernel, channels)
  const float* bias = nullptr;         ///< (channels)
  float* y = nullptr;                  ///< (out_width, channels)
  std::int64_t in_width = 0, out_width = 0, channels = 0;
  std::int64_t kernel = 0, stride = 0, pad_before = 0;
};

/// What stands in memory for a value that tensor/int8.h maps to an integer.
enum class Narrow : std::uint8_t {
  kInput8,    ///< uint8, an input
  kWeight8,   ///< int8, a weight
  kInput16,   ///< an input as int16, for products of 16 bits
  kWeight16,  ///< a weight as int16
};

struct Kernels {
  const char* name;
  /// Width of a panel of packed weights: two vectors.
  std::int64_t panel_columns;
  /// Rows whose sums fit the registers.
  std::int64_t tile_rows;

  /// c (rows, panel_columns) [+]= x (rows, k) * w, where w is one panel (k, panel_columns).
  void (*multiply)(const float* x, std::int64_t x_stride, const float* w, std::int64_t k,
                   std::int64_t rows, bool accumulate, float* c, std::int64_t c_stride);
  /// c (rows, panel_columns) [+]= x * w, as integers. x holds `pairs` pairs of int16 a row, rows
  /// x_stride pairs apart; w is one panel (pairs, panel_columns) of pairs.
  void (*multiply_int16)(const std::uint32_t* x, std::int64_t x_stride, const std::uint32_t* w,
                         std::int64_t pairs, std::int64_t rows, bool accumulate, std::int32_t* c,
                         std::int64_t c_stride);
  /// The least and the largest value; both NaN if one is not finite.
  void (*value_range)(const float* x, std::int64_t count, float* low, float* high);
  /// Fills whole words; what is behind the last value is zero.
  void (*narrow)(const float* x, std::int64_t count, const tensor::Int8Scale& scale, Narrow type,
                 std::uint32_t* to);
  /// y = (c - zero of the row * sum of the column's weights) * both scales. c may be y.
  void (*widen)(const std::int32_t* c, std::int64_t c_stride, std::int64_t rows,
                std::int64_t columns, const tensor::Int8Scale* rows_scales,
                const float* column_scales, const std::int32_t* column_sums, float* y,
                std::int64_t y_stride);
  /// y (rows, columns) from sums c. c may be y.
  void (*finish)(const float* c, std::int64_t c_stride, std::int64_t rows, std::int64_t columns,
                 const Epilogue& epilogue, float* y, std::int64_t y_stride);
  /// y[r] = c[r] * factors[r].
  void (*scale_rows)(const float* c, std::int64_t c_stride, std::int64_t rows, std::int64_t columns,
                     const float* factors, float* y, std::int64_t y_stride);
  /// Rounded to bf16, as float32. y may be x.
  void (*round_to_bf16)(const float* x, std::int64_t count, float* y);
  /// scores = exp(scores - largest of the row), in place; inverse_sums[r] = 1 / sum of the row.
  void (*exp_rows)(float* scores, std::int64_t stride, std::int64_t rows, std::int64_t columns,
                   float* inverse_sums);
  /// `bias` may be null.
  void (*normalize)(compute::NormKind kind, const float* weight, const float* bias, float epsilon,
                    const float* x, std::int64_t columns, float* y);
  /// y[i] = act(x[i]) * x[n + i]. y may be x.
  void (*gate)(compute::Activation activation, const float* x, std::int64_t n, float* y);
  /// Rotary positions of one row of `heads` heads of d values; see compute/backend.h.
  void (*rotate_pairs)(const float* turn, std::int64_t d, std::int64_t heads, float* x);
  /// y[r] = scale * (query . x[r])
  void (*dot_rows)(const float* query, float scale, compute::Matrix x, float* y);
  /// y = factor * sum of weights[r] * x[r]
  void (*sum_rows)(const float* weights, float factor, compute::Matrix x, float* y);
  void (*depthwise)(const DepthwiseRow& row);
  /// y[i] = largest of rows[r][i]; there is at least one row.
  void (*max_rows)(const float* const* rows, std::int64_t count, std::int64_t columns, float* y);
  /// One picture's positions, in place; see compute/backend.h. `scales` has room for a row.
  void (*normalize_response)(const float* weight, const float* bias, float epsilon,
                             compute::Matrix x, float* scales);
};

/// The tables this machine can run, best first; never empty.
const std::vector<Kernels>& supported_kernels();

}  // namespace vecframe::backends::cpu
