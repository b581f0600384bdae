#include "backends/cpu/attention_bf16.h"

#include <algorithm>
#include <cstring>

#include "backends/cpu/narrow.h"

namespace vecframe::backends::cpu {
namespace {

using compute::Matrix;

// Query rows a block: two tiles. The scores of 24 x 197 are 19 KiB.
constexpr std::int64_t kQueryRows = 24;

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// bf16 values, `stride` (an even number) apart from row to row.
struct Bf16Rows {
  const std::uint16_t* data;
  std::int64_t stride;

  const std::uint32_t* pairs() const { return reinterpret_cast<const std::uint32_t*>(data); }
};

// Columns [column, column + d) of the head's rows: in place if they are whole pairs of bf16, else
// written to `to`, which has `tokens` rows of whole pairs.
Bf16Rows rows_of(const Isa& isa, const HeadOf& head, std::int64_t column, std::uint32_t* to) {
  const Matrix& from = head.qkv;
  const std::int64_t d = head.d, pairs = (d + 1) / 2;
  const bool narrow = is_narrow(isa, from);
  if (narrow && d % 2 == 0) return {narrow_row(from, head.first_row) + column, from.stride};
  for (std::int64_t r = 0; r < head.tokens; ++r) {
    std::uint32_t* row = to + r * pairs;
    if (narrow) {
      row[pairs - 1] = 0;
      std::memcpy(row, narrow_row(from, head.first_row + r) + column,
                  static_cast<std::size_t>(d) * sizeof(std::uint16_t));
    } else {
      isa.bf16->convert(from.data + (head.first_row + r) * from.stride + column, d, row);
    }
  }
  return {reinterpret_cast<const std::uint16_t*>(to), 2 * pairs};
}

}  // namespace

void attend_bf16(const Isa& isa, const HeadOf& head, float scale, bool causal,
                 const RelativeBias* bias, HeadScratch& scratch, Matrix out) {
  const Bf16Kernels& kernels = *isa.bf16;
  const std::int64_t tokens = head.tokens, d = head.d, panel = kernels.panel_columns;
  const std::int64_t pairs = (d + 1) / 2, padded_tokens = round_up(tokens, panel);
  const std::int64_t value_pairs = (tokens + 1) / 2;
  std::uint32_t* rows = scratch.rows.words(3 * tokens * pairs);
  const Bf16Rows q = rows_of(isa, head, head.column, rows);
  const Bf16Rows k = rows_of(isa, head, head.column + head.width, rows + tokens * pairs);
  const Bf16Rows v = rows_of(isa, head, head.column + 2 * head.width, rows + 2 * tokens * pairs);
  std::uint32_t* keys = scratch.keys.words(padded_tokens * pairs);
  std::uint32_t* values = scratch.values.words(round_up(d, panel) * value_pairs);
  kernels.pack_rows(k.pairs(), k.stride / 2, tokens, pairs, keys);
  kernels.pack_row_pairs(v.data, v.stride, tokens, d, values);
  // One line more than the row: rows a multiple of 4096 bytes apart would share cache sets.
  const std::int64_t score_stride = padded_tokens + 16, weight_stride = padded_tokens / 2 + 16;
  float* scores = scratch.scores.floats(kQueryRows * score_stride);
  std::uint32_t* weights = scratch.weights.words(kQueryRows * weight_stride);
  float* sums = scratch.sums.floats(kQueryRows * panel);
  float* factors = scratch.factors.floats(kQueryRows);

  for (std::int64_t first = 0; first < tokens; first += kQueryRows) {
    const std::int64_t count = std::min(kQueryRows, tokens - first);
    // Keys behind the last of these rows are seen by none of them.
    const std::int64_t seen = causal ? first + count : tokens;
    for (std::int64_t j = 0; j < seen; j += panel)
      kernels.multiply(q.pairs() + first * (q.stride / 2), q.stride / 2, keys + j * pairs, pairs,
                       count, /*accumulate=*/false, scores + j, score_stride);
    for (std::int64_t r = 0; r < count; ++r) {
      float* row = scores + r * score_stride;
      if (bias != nullptr) bias->add(first + r, scale, row);
      factors[r] = kernels.exp_row(row, bias != nullptr ? 1 : scale, causal ? first + r + 1 : seen,
                                   round_up(seen, 32), weights + r * weight_stride);
    }
    for (std::int64_t c = 0; c < d; c += panel) {
      kernels.multiply(weights, weight_stride, values + c * value_pairs, (seen + 1) / 2, count,
                       /*accumulate=*/false, sums, panel);
      const std::int64_t columns = std::min(panel, d - c), to = head.column + c;
      if (!is_narrow(isa, out)) {
        isa.kernels->scale_rows(sums, panel, count, columns, factors,
                                out.data + (head.first_row + first) * out.stride + to, out.stride);
        continue;
      }
      isa.kernels->scale_rows(sums, panel, count, columns, factors, sums, panel);
      for (std::int64_t r = 0; r < count; ++r)
        store_narrow(isa, sums + r * panel, columns,
                     narrow_row(out, head.first_row + first + r) + to);
    }
  }
}

}  // namespace vecframe::backends::cpu
