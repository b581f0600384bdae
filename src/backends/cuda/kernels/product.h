// y = act(source W^T + bias) and a residual: a block makes 64 x 64 values, 32 of the depth at a
// time. The order of sums depends on the depth alone. W is [out, pitch] of T, zero beyond the
// depth.
#pragma once

#include "backends/cuda/kernels/activation.h"
#include "backends/cuda/kernels/rows.h"
#include "backends/cuda/kernels/sources.h"

namespace vecframe::backends::cuda {

/// Depths of packed weights are multiples of this; so rows of 16-bit weights start at 16 bytes.
inline constexpr std::int64_t kDepthStep = 8;

struct ProductArgs {
  std::int64_t rows, depth, out;
  const void* weight;
  std::int64_t weight_pitch;
  const float* bias;
  compute::Activation activation;
  bool activates_sum;  // the residual comes before the activation
  Cells y, residual;   // residual.data may be null
  RowMap to_row;       // of y and residual
};

inline constexpr int kTile = 64, kDepthTile = 32;

VECFRAME_KERNEL void finish_value(const ProductArgs& args, std::int64_t row, std::int64_t column,
                                  float sum) {
  if (row >= args.rows || column >= args.out) return;
  const std::int64_t to = args.to_row(row);
  float value = sum + args.bias[column];
  const bool has_residual = args.residual.data != nullptr;
  const float added = has_residual ? load(args.residual, to, column) : 0.0f;
  if (args.activates_sum) {
    value = activate(args.activation, value + added);
  } else {
    value = activate(args.activation, value);
    if (has_residual) value += added;
  }
  store(args.y, to, column, value);
}

/// The corner of the block's tile.
struct TilePlace {
  std::int64_t top, left;
  VECFRAME_KERNEL TilePlace(const ProductArgs& args, std::int64_t index) {
    const std::int64_t across = (args.out + kTile - 1) / kTile;
    top = index / across * kTile;
    left = index % across * kTile;
  }
};

/// In float32: each of 128 threads makes 8 x 4 values.
template <class Source>
struct ProductFloat {
  static constexpr int kThreads = 128, kRows = 8, kColumns = 4;
  struct Shared {
    float x[kDepthTile][kTile + 1], w[kDepthTile][kTile + 1];
  };
  struct Sums {
    float of[kRows][kColumns];
  };

  ProductArgs args;
  Source source;

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    typename B::template PerThread<Sums> sums;
    Shared& s = block.shared();
    const TilePlace place(args, block.index());
    const float* weight = static_cast<const float*>(args.weight);
    block.each_alone([&](int t) {
      VECFRAME_UNROLL
      for (int i = 0; i < kRows; ++i) VECFRAME_UNROLL
      for (int j = 0; j < kColumns; ++j) sums[t].of[i][j] = 0;
    });
    for (std::int64_t first = 0; first < args.depth; first += kDepthTile) {
      block.each([&](int t) {
        const int k = t % kDepthTile;
        const bool here = first + k < args.depth;
        for (int i = t / kDepthTile; i < kTile; i += kThreads / kDepthTile) {
          s.x[k][i] = here && place.top + i < args.rows
                          ? source.at(place.top + i).value(static_cast<int>(first) + k)
                          : 0.0f;
          s.w[k][i] = here && place.left + i < args.out
                          ? weight[(place.left + i) * args.weight_pitch + first + k]
                          : 0.0f;
        }
      });
      block.each([&](int t) {
        Sums& sum = sums[t];
        const int row = t / 16 * kRows, column = t % 16;
        for (int k = 0; k < kDepthTile; ++k) {
          float w[kColumns];
          VECFRAME_UNROLL
          for (int j = 0; j < kColumns; ++j) w[j] = s.w[k][column + 16 * j];
          VECFRAME_UNROLL
          for (int i = 0; i < kRows; ++i) {
            const float x = s.x[k][row + i];
            VECFRAME_UNROLL
            for (int j = 0; j < kColumns; ++j) sum.of[i][j] += x * w[j];
          }
        }
      });
    }
    block.each_alone([&](int t) {
      VECFRAME_UNROLL
      for (int i = 0; i < kRows; ++i) VECFRAME_UNROLL
      for (int j = 0; j < kColumns; ++j)
        finish_value(args, place.top + t / 16 * kRows + i, place.left + t % 16 + 16 * j,
                     sums[t].of[i][j]);
    });
  }
};

/// On tensor cores, both factors rounded to T: each of 4 warps makes 32 x 32 values.
template <class T, class Source>
struct ProductTensor {
  static constexpr int kThreads = 128;
  static constexpr int kPitch = kDepthTile + 8;
  struct Shared {
    alignas(16) T x[kTile][kPitch];
    alignas(16) T w[kTile][kPitch];
  };
  struct Sums {
    float of[2][4][4];  // 16 rows, 8 columns, and the four values of a lane
  };

  ProductArgs args;
  Source source;

  template <class B>
  VECFRAME_KERNEL void run(B& block) const {
    typename B::template PerThread<Sums> sums;
    Shared& s = block.shared();
    const TilePlace place(args, block.index());
    const T* weight = static_cast<const T*>(args.weight);
    block.each_alone([&](int t) {
      VECFRAME_UNROLL
      for (int m = 0; m < 2; ++m) VECFRAME_UNROLL
      for (int n = 0; n < 4; ++n) VECFRAME_UNROLL
      for (int r = 0; r < 4; ++r) sums[t].of[m][n][r] = 0;
    });
    for (std::int64_t first = 0; first < args.depth; first += kDepthTile) {
      block.each([&](int t) {
        const int k = t % kDepthTile;
        const bool here = first + k < args.depth;
        for (int i = t / kDepthTile; i < kTile; i += kThreads / kDepthTile) {
          s.x[i][k] =
              from_float<T>(here && place.top + i < args.rows
                                ? source.at(place.top + i).value(static_cast<int>(first) + k)
                                : 0.0f);
          s.w[i][k] = here && place.left + i < args.out
                          ? weight[(place.left + i) * args.weight_pitch + first + k]
                          : T{0};
        }
      });
      VECFRAME_UNROLL
      for (int k = 0; k < kDepthTile; k += 16) {
        VECFRAME_UNROLL
        for (int m = 0; m < 2; ++m) {
          VECFRAME_UNROLL
          for (int n = 0; n < 4; ++n) {
            block.template mma<T>([&](int t) {
              const int warp = t / kWarp, g = t % kWarp / 4, c = k + t % 4 * 2;
              const int row = warp / 2 * 32 + m * 16 + g, column = warp % 2 * 32 + n * 8 + g;
              return MmaLane{sums[t].of[m][n],
                             {load2(&s.x[row][c]), load2(&s.x[row + 8][c]), load2(&s.x[row][c + 8]),
                              load2(&s.x[row + 8][c + 8])},
                             {load2(&s.w[column][c]), load2(&s.w[column][c + 8])}};
            });
          }
        }
      }
      block.each([](int) {});  // all warps are done with the tile
    }
    block.each_alone([&](int t) {
      const int warp = t / kWarp, g = t % kWarp / 4;
      VECFRAME_UNROLL
      for (int m = 0; m < 2; ++m) VECFRAME_UNROLL
      for (int n = 0; n < 4; ++n) VECFRAME_UNROLL
      for (int r = 0; r < 4; ++r)
        finish_value(args, place.top + warp / 2 * 32 + m * 16 + g + r / 2 * 8,
                     place.left + warp % 2 * 32 + n * 8 + t % 4 * 2 + r % 2, sums[t].of[m][n][r]);
    });
  }
};

}  // namespace vecframe::backends::cuda
