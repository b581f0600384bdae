#include "backends/cpu/attention.h"

#include <algorithm>

#include "backends/cpu/attention_bf16.h"
#include "backends/cpu/relative_bias.h"

namespace vecframe::backends::cpu {
namespace {

using compute::Matrix;
using tensor::Precision;

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
  return (value + multiple - 1) / multiple * multiple;
}

// Query rows a block: a multiple of the tile heights 6 and 12. The scores of a block (48 x 1370
// float32 are 257 KiB) share the second-level cache with keys and values.
constexpr std::int64_t kQueryRows = 48;

// k (tokens, d) -> [ceil(tokens / panel)][d][panel]; columns behind the last token are zero.
void pack_keys(Matrix k, std::int64_t panel, float* to) {
  for (std::int64_t first = 0; first < k.rows; first += panel, to += panel * k.columns) {
    const std::int64_t count = std::min(panel, k.rows - first);
    for (std::int64_t j = 0; j < panel; ++j) {
      const float* from = k.data + (first + j) * k.stride;
      for (std::int64_t c = 0; c < k.columns; ++c) to[c * panel + j] = j < count ? from[c] : 0.0f;
    }
  }
}

// v (tokens, d) -> [ceil(d / panel)][tokens][panel]
void pack_values(Matrix v, std::int64_t panel, float* to) {
  for (std::int64_t first = 0; first < v.columns; first += panel) {
    const std::int64_t count = std::min(panel, v.columns - first);
    for (std::int64_t t = 0; t < v.rows; ++t, to += panel) {
      std::copy_n(v.data + t * v.stride + first, count, to);
      std::fill(to + count, to + panel, 0.0f);
    }
  }
}

// Softmax without the division, of query rows that begin at row `first` of their text: each sees
// the keys up to its own. Scores of the others become zero.
void exp_causal_rows(const Kernels& kernels, float* scores, std::int64_t stride, std::int64_t first,
                     std::int64_t rows, float* inverse_sums) {
  for (std::int64_t r = 0; r < rows; ++r) {
    float* row = scores + r * stride;
    kernels.exp_rows(row, stride, 1, first + r + 1, inverse_sums + r);
    std::fill(row + first + r + 1, row + first + rows, 0.0f);
  }
}

// `bias` may be null. `rounds` makes bf16 of all inputs of the two products.
void attend(const Kernels& kernels, Matrix q, Matrix k, Matrix v, float scale, bool rounds,
            bool causal, const RelativeBias* bias, HeadScratch& scratch, Matrix out) {
  const std::int64_t tokens = q.rows, d = q.columns, panel = kernels.panel_columns;
  const std::int64_t padded_tokens = round_up(tokens, panel);
  float* keys = scratch.keys.floats(padded_tokens * d);
  float* values = scratch.values.floats(round_up(d, panel) * tokens);
  pack_keys(k, panel, keys);
  pack_values(v, panel, values);
  if (rounds) {
    kernels.round_to_bf16(keys, padded_tokens * d, keys);
    kernels.round_to_bf16(values, round_up(d, panel) * tokens, values);
  }
  // One line more than the row: rows a multiple of 4096 bytes apart would share cache sets.
  const std::int64_t query_stride = round_up(d, 16) + 16, score_stride = padded_tokens + 16;
  float* queries = scratch.queries.floats(kQueryRows * query_stride);
  float* scores = scratch.scores.floats(kQueryRows * score_stride);
  float* sums = scratch.sums.floats(kQueryRows * panel);
  float* factors = scratch.factors.floats(kQueryRows);

  for (std::int64_t first = 0; first < tokens; first += kQueryRows) {
    const std::int64_t rows = std::min(kQueryRows, tokens - first);
    std::fill(factors, factors + rows, scale);
    const float* unscaled = q.data + first * q.stride;
    std::int64_t unscaled_stride = q.stride;
    if (rounds) {
      for (std::int64_t r = 0; r < rows; ++r)
        kernels.round_to_bf16(unscaled + r * q.stride, d, queries + r * query_stride);
      unscaled = queries;
      unscaled_stride = query_stride;
    }
    kernels.scale_rows(unscaled, unscaled_stride, rows, d, factors, queries, query_stride);
    // Keys behind the last of these rows are seen by none of them.
    const std::int64_t seen = causal ? first + rows : tokens;
    for (std::int64_t j = 0; j < seen; j += panel)
      kernels.multiply(queries, query_stride, keys + j * d, d, rows, /*accumulate=*/false,
                       scores + j, score_stride);
    if (bias != nullptr) {
      for (std::int64_t row = 0; row < rows; ++row)
        bias->add(first + row, 1, scores + row * score_stride);
    }
    if (causal) {
      exp_causal_rows(kernels, scores, score_stride, first, rows, factors);
    } else {
      kernels.exp_rows(scores, score_stride, rows, tokens, factors);
    }
    if (rounds) {
      for (std::int64_t r = 0; r < rows; ++r)
        kernels.round_to_bf16(scores + r * score_stride, seen, scores + r * score_stride);
    }
    for (std::int64_t c = 0; c < d; c += panel) {
      kernels.multiply(scores, score_stride, values + c * tokens, seen, rows,
                       /*accumulate=*/false, sums, panel);
      kernels.scale_rows(sums, panel, rows, std::min(panel, d - c), factors,
                         out.data + first * out.stride + c, out.stride);
    }
  }
}

// Rows [first, first + tokens) of q, k, v: one sequence.
struct Sequence {
  std::int64_t first, tokens;
};

// All heads of a sequence. `bias` is null or the first head's.
void attend_heads(const Isa& isa, Matrix qkv, Sequence sequence, std::int64_t heads, float scale,
                  Precision precision, bool causal, const RelativeBias* bias,
                  AttentionScratch& scratch, Matrix out) {
  const std::int64_t width = qkv.columns / 3, d = width / heads;
  const std::int64_t first = sequence.first, tokens = sequence.tokens;
  const bool rounds = precision != Precision::kFp32;
  const auto attend_some = [&](Share some, HeadScratch& own_scratch) {
    for (std::int64_t h = some.begin; h < some.end; ++h) {
      const RelativeBias own = bias != nullptr ? bias->of_head(h) : RelativeBias{};
      const RelativeBias* of_head = bias != nullptr ? &own : nullptr;
      if (rounds && isa.bf16 != nullptr) {
        attend_bf16(isa, {qkv, first, tokens, h * d, width, d}, scale, causal, of_head, own_scratch,
                    out);
        continue;
      }
      const Matrix q{qkv.data + first * qkv.stride + h * d, tokens, d, qkv.stride};
      const Matrix k{q.data + width, tokens, d, qkv.stride};
      const Matrix v{k.data + width, tokens, d, qkv.stride};
      attend(*isa.kernels, q, k, v, scale, rounds, causal, of_head, own_scratch,
             {out.data + first * out.stride + h * d, tokens, d, out.stride});
    }
  };
  if (scratch.team == nullptr) return attend_some({0, heads}, scratch.threads.front());
  scratch.team->run([&](int index) {
    attend_some(share_of(heads, 1, index, scratch.team->size()),
                scratch.threads[static_cast<std::size_t>(index)]);
  });
}

}  // namespace

void attention(const Isa& isa, Matrix qkv, std::int64_t batch, std::int64_t heads, float scale,
               Precision precision, AttentionScratch& scratch, Matrix out) {
  if (batch == 0) return;
  const std::int64_t tokens = qkv.rows / batch;
  for (std::int64_t b = 0; b < batch; ++b)
    attend_heads(isa, qkv, {b * tokens, tokens}, heads, scale, precision, /*causal=*/false, nullptr,
                 scratch, out);
}

void relative_attention(const Isa& isa, const float* table, std::int64_t grid_columns, Matrix qkv,
                        std::int64_t batch, std::int64_t heads, float scale, Precision precision,
                        AttentionScratch& scratch, Matrix out) {
  if (batch == 0) return;
  const std::int64_t tokens = qkv.rows / batch;
  const RelativeBias bias{table, (tokens - 1) / grid_columns, grid_columns};
  for (std::int64_t b = 0; b < batch; ++b)
    attend_heads(isa, qkv, {b * tokens, tokens}, heads, scale, precision, /*causal=*/false, &bias,
                 scratch, out);
}

void causal_attention(const Isa& isa, Matrix qkv, std::span<const std::int64_t> lengths,
                      std::int64_t heads, float scale, Precision precision,
                      AttentionScratch& scratch, Matrix out) {
  std::int64_t first = 0;
  for (const std::int64_t length : lengths) {
    attend_heads(isa, qkv, {first, length}, heads, scale, precision, /*causal=*/true, nullptr,
                 scratch, out);
    first += length;
  }
}

void pool_attention(const Kernels& kernels, const float* query, Matrix kv, std::int64_t batch,
                    std::int64_t heads, float scale, AttentionScratch& scratch, Matrix out) {
  if (batch == 0) return;
  const std::int64_t tokens = kv.rows / batch, width = kv.columns / 2, d = width / heads;
  float* scores = scratch.threads.front().scores.floats(tokens);
  for (std::int64_t b = 0; b < batch; ++b) {
    for (std::int64_t h = 0; h < heads; ++h) {
      const Matrix k{kv.data + b * tokens * kv.stride + h * d, tokens, d, kv.stride};
      float inverse_sum;
      kernels.dot_rows(query + h * d, scale, k, scores);
      kernels.exp_rows(scores, tokens, 1, tokens, &inverse_sum);
      kernels.sum_rows(scores, inverse_sum, {k.data + width, tokens, d, kv.stride},
                       out.data + b * out.stride + h * d);
    }
  }
}

}  // namespace vecframe::backends::cpu
