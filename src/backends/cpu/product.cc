#include "backends/cpu/product.h"

#include <bit>

namespace vecframe::backends::cpu {
namespace {

// Most of a second-level cache of 1 MiB; the slice of a panel needs the rest.
constexpr std::int64_t kBlockBytes = 640 * 1024;
constexpr std::int64_t kMaxBlockRows = 384;
// Depth of a panel's slice: 64 KiB at 32 columns, so that it stays while the block's tiles pass.
constexpr std::int64_t kSliceDepth = 512;
// From this depth on few whole rows fit the cache, and the weights would stream from memory once
// for every few rows. So slices of the depth are the outer loop, and the sums of all columns wait.
constexpr std::int64_t kDeep = 1536;
constexpr std::int64_t kDeepBlockRows = 192;
constexpr std::int64_t kDeepLeastRows = 96;

// The order in which a row's products are added is the same either way, so its bits are too.
bool is_deep(std::int64_t rows, std::int64_t depth) {
  return depth >= kDeep && rows >= kDeepLeastRows;
}

void finish_panel(const Isa& isa, const PackedMatrix& matrix, std::int64_t column, const float* c,
                  std::int64_t first_row, std::int64_t rows, const ProductOutput& output) {
  const std::int64_t panel = matrix.panel_columns;
  const std::int64_t columns = std::min(panel, matrix.n - column);
  for (std::int64_t r = 0; r < rows;) {
    const std::int64_t m = first_row + r;
    const std::int64_t group = m / output.rows_per_group;
    const std::int64_t count = std::min(rows - r, (group + 1) * output.rows_per_group - m);
    const compute::Matrix& residual = output.residual;
    const Epilogue epilogue{
        output.activation, matrix.bias.data() + column,
        residual.data == nullptr ? nullptr : residual.data + m * residual.stride + column,
        residual.stride, output.activates_sum};
    isa.kernels->finish(c + r * panel, panel, count, columns, epilogue,
                        output.y.data + (m + group * output.gap) * output.y.stride + column,
                        output.y.stride);
    r += count;
  }
}

}  // namespace

std::int64_t rows_a_block(std::int64_t rows, std::int64_t depth) {
  const std::int64_t most =
      is_deep(rows, depth)
          ? kDeepBlockRows
          : std::clamp<std::int64_t>(kBlockBytes / (depth * 4) / 12 * 12, 24, kMaxBlockRows);
  const std::int64_t blocks = std::max<std::int64_t>(1, (rows + most - 1) / most);
  // Blocks of even size, whole tiles where there are several.
  const std::int64_t even = (rows + blocks - 1) / blocks;
  return blocks == 1 ? even : std::min(most, (even + 11) / 12 * 12);
}

void store_input(const Isa& isa, const PackedMatrix& matrix, const float* from, std::uint32_t* to) {
  switch (matrix.format) {
    case InputFormat::kFloat:
      std::copy_n(from, matrix.k, reinterpret_cast<float*>(to));
      return;
    case InputFormat::kRoundedFloat:
      for (std::int64_t i = 0; i < matrix.k; ++i)
        to[i] = std::uint32_t{tensor::float_to_bf16(from[i])} << 16;
      return;
    case InputFormat::kBf16Pairs:
      isa.bf16->convert(from, matrix.k, to);
      return;
  }
}

void multiply_block(const Isa& isa, const PackedMatrix& matrix, const std::uint32_t* inputs,
                    std::int64_t stride, std::int64_t first_row, std::int64_t rows, Scratch& sums,
                    const ProductOutput& output) {
  const std::int64_t panel = matrix.panel_columns;
  const auto multiply = [&](std::int64_t i, std::int64_t column, float* c) {
    const std::int64_t depth = std::min(kSliceDepth, matrix.depth - i);
    const std::uint32_t* w = matrix.panel(column) + i * panel;
    if (matrix.format == InputFormat::kBf16Pairs) {
      isa.bf16->multiply(inputs + i, stride, w, depth, rows, i > 0, c, panel);
    } else {
      isa.kernels->multiply(reinterpret_cast<const float*>(inputs) + i, stride,
                            reinterpret_cast<const float*>(w), depth, rows, i > 0, c, panel);
    }
  };
  if (is_deep(rows, matrix.depth)) {
    const std::int64_t padded = (matrix.n + panel - 1) / panel * panel;
    float* c = sums.floats(rows * padded);  // a block of rows x panel for each panel
    for (std::int64_t i = 0; i < matrix.depth; i += kSliceDepth) {
      for (std::int64_t column = 0; column < matrix.n; column += panel) {
        multiply(i, column, c + rows * column);
      }
    }
    for (std::int64_t column = 0; column < matrix.n; column += panel) {
      finish_panel(isa, matrix, column, c + rows * column, first_row, rows, output);
    }
    return;
  }
  float* c = sums.floats(rows * panel);
  for (std::int64_t column = 0; column < matrix.n; column += panel) {
    for (std::int64_t i = 0; i < matrix.depth; i += kSliceDepth) multiply(i, column, c);
    finish_panel(isa, matrix, column, c, first_row, rows, output);
  }
}

}  // namespace vecframe::backends::cpu
