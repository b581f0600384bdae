#include "backends/cpu/product.h"

#include <bit>

namespace vecframe::backends::cpu {
namespace {

// Most of a second-level cache of 1 MiB; the slice of a panel needs the rest.
constexpr std::int64_t kBlockBytes = 640 * 1024;
constexpr std::int64_t kMaxBlockRows = 384;
// Depth of a panel's slice: 64 KiB at 32 columns, so that it stays while the block's tiles pass.
constexpr std::int64_t kSliceDepth = 512;

}  // namespace

std::int64_t rows_a_block(std::int64_t rows, std::int64_t row_bytes) {
  const std::int64_t most =
      std::clamp<std::int64_t>(kBlockBytes / row_bytes / 12 * 12, 24, kMaxBlockRows);
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
  float* c = sums.floats(rows * panel);
  for (std::int64_t column = 0; column < matrix.n; column += panel) {
    const std::uint32_t* w = matrix.panel(column);
    for (std::int64_t i = 0; i < matrix.depth; i += kSliceDepth) {
      const std::int64_t depth = std::min(kSliceDepth, matrix.depth - i);
      if (matrix.format == InputFormat::kBf16Pairs) {
        isa.bf16->multiply(inputs + i, stride, w + i * panel, depth, rows, i > 0, c, panel);
      } else {
        isa.kernels->multiply(reinterpret_cast<const float*>(inputs) + i, stride,
                              reinterpret_cast<const float*>(w) + i * panel, depth, rows, i > 0, c,
                              panel);
      }
    }
    const std::int64_t columns = std::min(panel, matrix.n - column);
    for (std::int64_t r = 0; r < rows;) {
      const std::int64_t m = first_row + r;
      const std::int64_t group = m / output.rows_per_group;
      const std::int64_t count = std::min(rows - r, (group + 1) * output.rows_per_group - m);
      const compute::Matrix& residual = output.residual;
      const Epilogue epilogue{
          output.activation, matrix.bias.data() + column,
          residual.data == nullptr ? nullptr : residual.data + m * residual.stride + column,
          residual.stride};
      isa.kernels->finish(c + r * panel, panel, count, columns, epilogue,
                          output.y.data + (m + group * output.gap) * output.y.stride + column,
                          output.y.stride);
      r += count;
    }
  }
}

}  // namespace vecframe::backends::cpu
