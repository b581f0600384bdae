// Attention in float32: a block takes 16 queries of a head past tiles of 32 keys, and keeps the
// largest score, the sum of weights and the weighted sum of values as it goes.
#pragma once

#include <cmath>

#include "backends/cuda/kernels/block.h"

namespace vecframe::backends::cuda {

/// The rows of a sequence: `tokens` of each in turn, or those between starts[i] and starts[i + 1].
struct Sequences {
  std::int64_t tokens = 0;
  const std::int64_t* starts = nullptr;

  VECFRAME_KERNEL std::int64_t first(std::int64_t i) const {
    return starts != nullptr ? starts[i] : i * tokens;
  }
  VECFRAME_KERNEL std::int64_t length(std::int64_t i) const {
    return starts != nullptr ? starts[i + 1] - starts[i] : tokens;
  }
};

/// What all kernels of attention are asked for. qkv holds thirds of heads * head_dim columns.
struct AttentionArgs {
  Cells qkv, out;
  std::int64_t heads, head_dim;
  Sequences sequences;
  std::int64_t tiles;  // of queries in the longest sequence
  float scale;
  bool causal;
  const float* table;         // bias of relative positions, or null
  std::int64_t grid_columns;  // of its grid
};

/// The largest head of AttentionFloat.
inline constexpr int kMaxHeadDim = 128;

struct AttentionFloat {
  static constexpr int kThreads = 128, kQueries = 16, kKeys = 32, kLanes = kThreads / kQueries;
  static constexpr int kPitch = kMaxHeadDim + 1;  // odd, so that rows start in different banks
  struct Shared {
    float q[kQueries][kPitch], k[kKeys][kPitch], v[kKeys][kPitch];
    float weights[kQueries][kKeys + 1];
  };
  struct Row {  // of the 8 lanes of a query
    float largest, sum, tile, rescale;
    float out[kMaxHeadDim / kLanes];  // columns lane, lane + 8, ...
  };

  AttentionArgs args;

  VECFRAME_KERNEL float bias(std::int64_t head, std::int64_t tokens, std::int64_t query,
                             std::int64_t key) const {
    if (args.table == nullptr) return 0;
    const std::int64_t columns = args.grid_columns, rows = (tokens - 1) / columns;
    const std::int64_t run = 2 * columns - 1, distances = (2 * rows - 1) * run;
    const float* table = args.table + head * (distances + 3);
    if (query == 0) return table[key == 0 ? distances + 2 : distances];
    if (key == 0) return table[distances + 1];
    const std::int64_t p = query - 1, q = key - 1;
    return table[(q / columns - p / columns + rows - 1) * run + q % columns - p % columns +
                 columns - 1];
  }

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    typename B::template PerThread<Row> rows;
    Shared& s = block.shared();
    const std::int64_t d = args.head_dim, width = args.heads * d;
    const std::int64_t tile = block.index() % args.tiles;
    const std::int64_t head = block.index() / args.tiles % args.heads;
    const std::int64_t sequence = block.index() / args.tiles / args.heads;
    const std::int64_t begin = args.sequences.first(sequence);
    const std::int64_t tokens = args.sequences.length(sequence);
    const std::int64_t top = tile * kQueries;
    if (top >= tokens) return;
    const std::int64_t below = top + kQueries < tokens ? top + kQueries : tokens;
    const std::int64_t keys = args.causal ? below : tokens;
    // Keys that query `top + row` sees of the tile from `left` on; none if there is no such query.
    const auto visible = [&](int row, std::int64_t left) {
      if (top + row >= tokens) return 0;
      const std::int64_t end = args.causal && top + row + 1 < keys ? top + row + 1 : keys;
      const std::int64_t count = end - left;
      return static_cast<int>(count < 0 ? 0 : (count < kKeys ? count : kKeys));
    };

    block.each([&](int t) {
      for (std::int64_t i = t; i < kQueries * d; i += kThreads) {
        const std::int64_t r = i / d, c = i % d;
        s.q[r][c] = top + r < tokens ? load(args.qkv, begin + top + r, head * d + c) : 0.0f;
      }
      Row& row = rows[t];
      row.largest = -INFINITY;
      row.sum = 0;
      VECFRAME_UNROLL
      for (int i = 0; i < kMaxHeadDim / kLanes; ++i) row.out[i] = 0;
    });
    for (std::int64_t left = 0; left < keys; left += kKeys) {
      block.each([&](int t) {
        for (std::int64_t i = t; i < kKeys * d; i += kThreads) {
          const std::int64_t r = i / d, c = i % d;
          const bool here = left + r < keys;
          const std::int64_t from = begin + left + r, column = head * d + c;
          s.k[r][c] = here ? load(args.qkv, from, width + column) : 0.0f;
          s.v[r][c] = here ? load(args.qkv, from, 2 * width + column) : 0.0f;
        }
      });
      // Scores; a key that is not seen has none.
      block.each_alone([&](int t) {
        const int r = t / kLanes;
        const int seen = visible(r, left);
        Row& row = rows[t];
        row.tile = -INFINITY;
        for (int j = t % kLanes; j < seen; j += kLanes) {
          float score = 0;
          for (std::int64_t c = 0; c < d; ++c) score += s.q[r][c] * s.k[j][c];
          score = score * args.scale + bias(head, tokens, top + r, left + j);
          s.weights[r][j] = score;
          row.tile = fmaxf(row.tile, score);
        }
      });
      block.template largest_over<kLanes>([&](int t) -> float& { return rows[t].tile; });
      block.each([&](int t) {
        const int r = t / kLanes;
        const int seen = visible(r, left);
        Row& row = rows[t];
        const float largest = fmaxf(row.largest, row.tile);
        row.rescale = row.largest == largest ? 1.0f : expf(row.largest - largest);
        row.largest = largest;
        row.tile = 0;
        for (int j = t % kLanes; j < seen; j += kLanes)
          row.tile += s.weights[r][j] = expf(s.weights[r][j] - largest);
      });
      block.template sum_over<kLanes>([&](int t) -> float& { return rows[t].tile; });
      block.each([&](int t) {
        const int r = t / kLanes;
        const int seen = visible(r, left);
        Row& row = rows[t];
        row.sum = row.sum * row.rescale + row.tile;
        VECFRAME_UNROLL
        for (int i = 0; i < kMaxHeadDim / kLanes; ++i) {
          const int c = t % kLanes + i * kLanes;
          if (c >= d) break;
          float sum = 0;
          for (int j = 0; j < seen; ++j) sum += s.weights[r][j] * s.v[j][c];
          row.out[i] = row.out[i] * row.rescale + sum;
        }
      });
    }
    block.each([&](int t) {
      const int r = t / kLanes;
      if (top + r >= tokens) return;
      const Row& row = rows[t];
      VECFRAME_UNROLL
      for (int i = 0; i < kMaxHeadDim / kLanes; ++i) {
        const int c = t % kLanes + i * kLanes;
        if (c >= d) break;
        store(args.out, begin + top + r, head * d + c, row.out[i] / row.sum);
      }
    });
  }
};

/// Attention with one query for all images: a block an image and a head.
struct PoolAttention {
  static constexpr int kThreads = 128, kKeys = 1024;
  struct Shared {
    float weights[kKeys];
    float of_warps[kThreads / kWarp];
  };
  struct State {
    float largest, sum, tile, rescale, out;
  };

  Cells kv, out;
  const float* query;
  std::int64_t heads, head_dim, tokens;
  float scale;

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    typename B::template PerThread<State> states;
    Shared& s = block.shared();
    const std::int64_t d = head_dim, width = heads * d;
    const std::int64_t image = block.index() / heads, head = block.index() % heads;
    block.each([&](int t) {
      states[t].largest = -INFINITY;
      states[t].sum = states[t].out = 0;
    });
    for (std::int64_t left = 0; left < tokens; left += kKeys) {
      const int keys = static_cast<int>(tokens - left < kKeys ? tokens - left : kKeys);
      const std::int64_t first = image * tokens + left;
      block.each_alone([&](int t) {
        states[t].tile = -INFINITY;
        for (int j = t; j < keys; j += kThreads) {
          float score = 0;
          for (std::int64_t c = 0; c < d; ++c)
            score += query[head * d + c] * load(kv, first + j, head * d + c);
          s.weights[j] = score * scale;
          states[t].tile = fmaxf(states[t].tile, s.weights[j]);
        }
      });
      block.template largest_over<kWarp>([&](int t) -> float& { return states[t].tile; });
      block.each([&](int t) {
        if (t % kWarp == 0) s.of_warps[t / kWarp] = states[t].tile;
      });
      block.each([&](int t) {
        State& state = states[t];
        float largest = state.largest;
        for (int w = 0; w < kThreads / kWarp; ++w) largest = fmaxf(largest, s.of_warps[w]);
        state.rescale = state.largest == largest ? 1.0f : expf(state.largest - largest);
        state.largest = largest;
        state.tile = 0;
        for (int j = t; j < keys; j += kThreads)
          state.tile += s.weights[j] = expf(s.weights[j] - largest);
      });
      block.template sum_over<kWarp>([&](int t) -> float& { return states[t].tile; });
      block.each([&](int t) {
        if (t % kWarp == 0) s.of_warps[t / kWarp] = states[t].tile;
      });
      block.each([&](int t) {
        State& state = states[t];
        state.sum *= state.rescale;
        for (int w = 0; w < kThreads / kWarp; ++w) state.sum += s.of_warps[w];
        if (t >= d) return;
        float sum = 0;
        for (int j = 0; j < keys; ++j)
          sum += s.weights[j] * load(kv, first + j, width + head * d + t);
        state.out = state.out * state.rescale + sum;
      });
    }
    block.each([&](int t) {
      if (t < d) store(out, image, head * d + t, states[t].out / states[t].sum);
    });
  }
};

}  // namespace vecframe::backends::cuda
