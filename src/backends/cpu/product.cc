#include "backends/cpu/product.h"

#include <cstring>
#include <stdexcept>

#include "backends/cpu/narrow.h"

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

// The sums `c` are overwritten where the output is narrow.
void finish_tile(const Isa& isa, const PackedMatrix& matrix, std::int64_t column, float* c,
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
    float* from = c + r * panel;
    const std::int64_t to = m + group * output.gap;
    if (is_narrow(isa, output.y)) {
      isa.kernels->finish(from, panel, count, columns, epilogue, from, panel);
      for (std::int64_t i = 0; i < count; ++i)
        store_narrow(isa, from + i * panel, columns, narrow_row(output.y, to + i) + column);
    } else {
      isa.kernels->finish(from, panel, count, columns, epilogue,
                          output.y.data + to * output.y.stride + column, output.y.stride);
    }
    r += count;
  }
}

// Calls tile(first, count) for tiles of even height: a last tile of one or two rows would wait for
// its loads.
template <class Tile>
void for_tiles(std::int64_t rows, std::int64_t most, Tile tile) {
  std::int64_t first = 0;
  for (std::int64_t tiles = (rows + most - 1) / most; tiles > 0; --tiles) {
    const std::int64_t count = (rows - first + tiles - 1) / tiles;
    tile(first, count);
    first += count;
  }
}

// Against the panels of `columns`, whose beginning is a panel's.
void multiply_columns(const Isa& isa, const PackedMatrix& matrix, const std::uint32_t* inputs,
                      std::int64_t stride, const tensor::Int8Scale* scales, std::int64_t first_row,
                      std::int64_t rows, Share columns, Scratch& sums,
                      const ProductOutput& output) {
  const std::int64_t panel = matrix.panel_columns;
  // A slice of the depth, from i on. Sums are 32 bits, floats or integers as the inputs are.
  const auto multiply = [&](std::int64_t i, std::int64_t column, std::int64_t first,
                            std::int64_t count, std::uint32_t* c) {
    const std::int64_t depth = std::min(kSliceDepth, matrix.depth - i);
    const std::uint32_t* x = inputs + first * stride + i;
    const std::uint32_t* w = matrix.panel(column) + i * panel;
    auto* floats = reinterpret_cast<float*>(c);
    auto* integers = reinterpret_cast<std::int32_t*>(c);
    switch (matrix.format) {
      case InputFormat::kFloat:
      case InputFormat::kRoundedFloat:
        return isa.kernels->multiply(reinterpret_cast<const float*>(x), stride,
                                     reinterpret_cast<const float*>(w), depth, count, i > 0, floats,
                                     panel);
      case InputFormat::kBf16Pairs:
        return isa.bf16->multiply(x, stride, w, depth, count, i > 0, floats, panel);
      case InputFormat::kInt8Quads:
        return isa.int8->multiply(x, stride, w, depth, count, i > 0, integers, panel);
      case InputFormat::kInt16Pairs:
        return isa.kernels->multiply_int16(x, stride, w, depth, count, i > 0, integers, panel);
    }
  };
  // The last slice tile by tile, so that sums are still in the first-level cache when they become
  // output. `c` holds the sums of the slices before it, a row of the panel for each row.
  const std::int64_t last = (matrix.depth - 1) / kSliceDepth * kSliceDepth;
  const auto finish = [&](std::int64_t column, std::uint32_t* c) {
    for_tiles(rows, isa.kernels->tile_rows, [&](std::int64_t first, std::int64_t count) {
      std::uint32_t* tile = last > 0 ? c + first * panel : c;
      multiply(last, column, first, count, tile);
      auto* values = reinterpret_cast<float*>(tile);
      if (is_integer(matrix.format)) {
        isa.kernels->widen(reinterpret_cast<std::int32_t*>(tile), panel, count, panel,
                           scales + first, matrix.column_scales.data() + column,
                           matrix.column_sums.data() + column, values, panel);
      }
      finish_tile(isa, matrix, column, values, first_row + first, count, output);
    });
  };
  if (is_deep(rows, matrix.depth)) {
    const std::int64_t padded = (columns.end - columns.begin + panel - 1) / panel * panel;
    std::uint32_t* c = sums.words(rows * padded);  // a block of rows x panel for each panel
    for (std::int64_t i = 0; i < last; i += kSliceDepth)
      for (std::int64_t column = columns.begin; column < columns.end; column += panel)
        multiply(i, column, 0, rows, c + rows * (column - columns.begin));
    for (std::int64_t column = columns.begin; column < columns.end; column += panel)
      finish(column, c + rows * (column - columns.begin));
    return;
  }
  std::uint32_t* c = sums.words(rows * panel);
  for (std::int64_t column = columns.begin; column < columns.end; column += panel) {
    for (std::int64_t i = 0; i < last; i += kSliceDepth) multiply(i, column, 0, rows, c);
    finish(column, c);
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

void store_input(const Isa& isa, const PackedMatrix& matrix, const float* from, std::uint32_t* to,
                 tensor::Int8Scale* scale) {
  if (!is_integer(matrix.format)) return store_floats(isa, matrix.format, from, matrix.k, to);
  float low, high;
  isa.kernels->value_range(from, matrix.k, &low, &high);
  *scale = tensor::int8_input_scale(low, high);
  const bool quads = matrix.format == InputFormat::kInt8Quads;
  isa.kernels->narrow(from, matrix.k, *scale, quads ? Narrow::kInput8 : Narrow::kInput16, to);
}

void multiply_block(const Isa& isa, const PackedMatrix& matrix, const std::uint32_t* inputs,
                    std::int64_t stride, const tensor::Int8Scale* scales, std::int64_t first_row,
                    std::int64_t rows, ProductScratch& scratch, const ProductOutput& output) {
  if (scratch.team == nullptr) {
    multiply_columns(isa, matrix, inputs, stride, scales, first_row, rows, {0, matrix.n},
                     scratch.sums, output);
    return;
  }
  scratch.team->run([&](int index) {
    const Share columns = share_of(matrix.n, matrix.panel_columns, index, scratch.team->size());
    Scratch& sums =
        index == 0 ? scratch.sums : scratch.helper_sums[static_cast<std::size_t>(index - 1)];
    multiply_columns(isa, matrix, inputs, stride, scales, first_row, rows, columns, sums, output);
  });
}

void product_of_narrow(const Isa& isa, const PackedMatrix& matrix, compute::Matrix x,
                       ProductScratch& scratch, const ProductOutput& output) {
  if (matrix.format != InputFormat::kBf16Pairs)
    throw std::logic_error("a narrow matrix is for products that round to bf16");
  const std::int64_t stride = x.stride / 2, block = rows_a_block(x.rows, matrix.depth);
  // Rows a multiple of 4096 bytes apart would share the sets of the first-level cache.
  const bool in_place = stride * 4 % 4096 != 0;
  const std::int64_t own_stride = (matrix.depth + 15) / 16 * 16 + 16;
  std::uint32_t* copies = in_place ? nullptr : scratch.inputs.words(block * own_stride);
  for (std::int64_t first = 0; first < x.rows; first += block) {
    const std::int64_t count = std::min(block, x.rows - first);
    const std::uint32_t* rows = reinterpret_cast<const std::uint32_t*>(narrow_row(x, first));
    if (in_place) {
      multiply_block(isa, matrix, rows, stride, nullptr, first, count, scratch, output);
      continue;
    }
    for (std::int64_t r = 0; r < count; ++r)
      std::memcpy(copies + r * own_stride, rows + r * stride,
                  static_cast<std::size_t>(matrix.depth) * sizeof(std::uint32_t));
    multiply_block(isa, matrix, copies, own_stride, nullptr, first, count, scratch, output);
  }
}

}  // namespace vecframe::backends::cpu
