// Attention on tensor cores, for queries, keys and values of 16 bits: a block takes 64 queries of a
// head, 16 a warp, past tiles of 64 keys. Sums and softmax are float32; weights are rounded to 16
// bits for the product with the values.
#pragma once

#include "backends/cuda/kernels/attention.h"

namespace vecframe::backends::cuda {

/// kDim is head_dim rounded up to what is compiled, a multiple of 16; head_dim is a multiple of 8,
/// and rows of qkv are aligned to 16 bytes.
template <class T, int kDim>
struct AttentionTensor {
  static constexpr int kThreads = 128, kQueries = 64, kKeys = 64;
  static constexpr int kPitch = kDim + 8;  // 16-byte rows, shifted banks
  struct Shared {
    alignas(16) T k[kKeys][kPitch], v[kKeys][kPitch];
  };
  struct Lane {
    std::uint32_t q[kDim / 16][4];
    float out[kDim / 8][4];
    float scores[kKeys / 8][4];
    std::uint32_t pair[4], weights[4];  // factors of the products at hand
    float largest[2], sum[2], tile[2];  // of rows g and g + 8 of the warp's 16
  };

  AttentionArgs args;

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    typename B::template PerThread<Lane> lanes;
    Shared& s = block.shared();
    const int d = static_cast<int>(args.head_dim);
    const std::int64_t width = args.heads * args.head_dim;
    const std::int64_t tile = block.index() % args.tiles;
    const std::int64_t head = block.index() / args.tiles % args.heads;
    const std::int64_t sequence = block.index() / args.tiles / args.heads;
    const std::int64_t begin = args.sequences.first(sequence);
    const std::int64_t tokens = args.sequences.length(sequence);
    const std::int64_t top = tile * kQueries;
    if (top >= tokens) return;
    const std::int64_t below = top + kQueries < tokens ? top + kQueries : tokens;
    const std::int64_t keys = args.causal ? below : tokens;
    const T* base = static_cast<const T*>(args.qkv.data) + begin * args.qkv.stride + head * d;
    const float scale = args.scale * 1.4426950408889634f;  // exp2 in place of exp
    // Row of the sequence that half `which` of a lane's registers belongs to.
    const auto row_of = [&](int t, int which) {
      return top + t / kWarp * 16 + t % kWarp / 4 + which * 8;
    };

    block.each_alone([&](int t) {
      Lane& lane = lanes[t];
      VECFRAME_UNROLL
      for (int k = 0; k < kDim / 16; ++k) {
        VECFRAME_UNROLL
        for (int r = 0; r < 4; ++r) {
          const std::int64_t row = row_of(t, r % 2);
          const int c = k * 16 + t % 4 * 2 + r / 2 * 8;
          const bool here = row < tokens && c < d;
          lane.q[k][r] = here ? finite2(T{}, load2(base + row * args.qkv.stride + c)) : 0;
        }
      }
      VECFRAME_UNROLL
      for (int n = 0; n < kDim / 8; ++n) VECFRAME_UNROLL
      for (int r = 0; r < 4; ++r) lane.out[n][r] = 0;
      VECFRAME_UNROLL
      for (int r = 0; r < 2; ++r) {
        lane.largest[r] = -INFINITY;
        lane.sum[r] = 0;
      }
    });
    for (std::int64_t left = 0; left < keys; left += kKeys) {
      block.each([&](int t) {
        // Eight neighbours at a time.
        for (int i = t; i < kKeys * (kDim / 8); i += kThreads) {
          const int r = i / (kDim / 8), c = i % (kDim / 8) * 8;
          Lot<T> k{}, v{};
          if (left + r < keys && c < d) {
            const T* from = base + (left + r) * args.qkv.stride + width + c;
            copy16(from, k.of);
            copy16(from + width, v.of);
            VECFRAME_UNROLL
            for (int e = 0; e < 8; ++e) {
              k.of[e] = finite(k.of[e]);
              v.of[e] = finite(v.of[e]);
            }
          } else {
            VECFRAME_UNROLL
            for (int e = 0; e < 8; ++e) k.of[e] = v.of[e] = T{0};
          }
          copy16(k.of, &s.k[r][c]);
          copy16(v.of, &s.v[r][c]);
        }
      });
      // Of the last tile only what holds keys takes part.
      const int held = static_cast<int>(keys - left < kKeys ? keys - left : kKeys);
      block.each_alone([&](int t) {
        Lane& lane = lanes[t];
        VECFRAME_UNROLL
        for (int n = 0; n < kKeys / 8; ++n) VECFRAME_UNROLL
        for (int r = 0; r < 4; ++r) lane.scores[n][r] = 0;
      });
      VECFRAME_UNROLL
      for (int n = 0; n < kKeys / 16; ++n) {
        if (n * 16 >= held) continue;
        VECFRAME_UNROLL
        for (int k = 0; k < kDim / 16; ++k) {
          block.each_alone(
              [&](int t) { load_across(&s.k[n * 16][k * 16], kPitch, t % kWarp, lanes[t].pair); });
          VECFRAME_UNROLL
          for (int half = 0; half < 2; ++half) {
            block.template mma<T>([&](int t) {
              Lane& lane = lanes[t];
              return MmaLane{lane.scores[n * 2 + half],
                             {lane.q[k][0], lane.q[k][1], lane.q[k][2], lane.q[k][3]},
                             {lane.pair[half * 2], lane.pair[half * 2 + 1]}};
            });
          }
        }
      }
      // Scores in units of log 2; keys that are not seen have none.
      block.each_alone([&](int t) {
        Lane& lane = lanes[t];
        lane.tile[0] = lane.tile[1] = -INFINITY;
        VECFRAME_UNROLL
        for (int n = 0; n < kKeys / 8; ++n) {
          VECFRAME_UNROLL
          for (int r = 0; r < 4; ++r) {
            const std::int64_t key = left + n * 8 + t % 4 * 2 + r % 2;
            const bool seen = key < keys && (!args.causal || key <= row_of(t, r / 2));
            lane.scores[n][r] = seen ? lane.scores[n][r] * scale : -INFINITY;
            lane.tile[r / 2] = fmaxf(lane.tile[r / 2], lane.scores[n][r]);
          }
        }
      });
      VECFRAME_UNROLL
      for (int r = 0; r < 2; ++r)
        block.template largest_over<4>([&](int t) -> float& { return lanes[t].tile[r]; });
      block.each_alone([&](int t) {
        Lane& lane = lanes[t];
        VECFRAME_UNROLL
        for (int half = 0; half < 2; ++half) {
          const float largest = fmaxf(lane.largest[half], lane.tile[half]);
          const float rescale =
              lane.largest[half] == largest ? 1.0f : exp2f(lane.largest[half] - largest);
          lane.largest[half] = largest;
          lane.sum[half] *= rescale;
          VECFRAME_UNROLL
          for (int n = 0; n < kDim / 8; ++n) VECFRAME_UNROLL
          for (int r = 0; r < 2; ++r) lane.out[n][half * 2 + r] *= rescale;
          float sum = 0;
          VECFRAME_UNROLL
          for (int n = 0; n < kKeys / 8; ++n) {
            VECFRAME_UNROLL
            for (int r = half * 2; r < half * 2 + 2; ++r) {
              // A row that nothing was seen of yet has no largest score to take away.
              lane.scores[n][r] =
                  lane.scores[n][r] == -INFINITY ? 0.0f : exp2f(lane.scores[n][r] - largest);
              sum += lane.scores[n][r];
            }
          }
          lane.tile[half] = sum;
        }
      });
      VECFRAME_UNROLL
      for (int r = 0; r < 2; ++r)
        block.template sum_over<4>([&](int t) -> float& { return lanes[t].tile[r]; });
      block.each_alone([&](int t) {
        lanes[t].sum[0] += lanes[t].tile[0];
        lanes[t].sum[1] += lanes[t].tile[1];
      });
      // The layout of two neighbouring products is that of one left factor.
      VECFRAME_UNROLL
      for (int k = 0; k < kKeys / 16; ++k) {
        if (k * 16 >= held) continue;
        block.each_alone([&](int t) {
          Lane& lane = lanes[t];
          const float* low = lane.scores[2 * k];
          const float* high = lane.scores[2 * k + 1];
          lane.weights[0] = pack2<T>(low[0], low[1]);
          lane.weights[1] = pack2<T>(low[2], low[3]);
          lane.weights[2] = pack2<T>(high[0], high[1]);
          lane.weights[3] = pack2<T>(high[2], high[3]);
        });
        VECFRAME_UNROLL
        for (int n = 0; n < kDim / 16; ++n) {
          block.each_alone(
              [&](int t) { load_down(&s.v[k * 16][n * 16], kPitch, t % kWarp, lanes[t].pair); });
          VECFRAME_UNROLL
          for (int half = 0; half < 2; ++half) {
            block.template mma<T>([&](int t) {
              Lane& lane = lanes[t];
              return MmaLane{lane.out[n * 2 + half],
                             {lane.weights[0], lane.weights[1], lane.weights[2], lane.weights[3]},
                             {lane.pair[half * 2], lane.pair[half * 2 + 1]}};
            });
          }
        }
      }
      block.each([](int) {});  // all warps are done with the tile
    }
    block.each_alone([&](int t) {
      const Lane& lane = lanes[t];
      VECFRAME_UNROLL
      for (int half = 0; half < 2; ++half) {
        const std::int64_t row = row_of(t, half);
        const float inverse = 1.0f / lane.sum[half];
        VECFRAME_UNROLL
        for (int n = 0; n < kDim / 8; ++n) {
          const int c = n * 8 + t % 4 * 2;
          if (row < tokens && c < d)
            store_two(args.out, begin + row, head * d + c, lane.out[n][half * 2] * inverse,
                      lane.out[n][half * 2 + 1] * inverse);
        }
      }
    });
  }
};

}  // namespace vecframe::backends::cuda
