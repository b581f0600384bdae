// Tiles of products whose inputs are parts of 32 bits, in AVX-512 intrinsics. Each file that
// includes this is compiled for its own instruction set, so all is local to it.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace vecframe::backends::cpu {
namespace {

constexpr std::int64_t kPanelColumns = 32;
constexpr std::int64_t kTileRows = 12;  // 24 accumulators of 32 registers

/// `Dot` has a Sum of 16 lanes, and zero, load, store and add(sum, x, w) for it.
template <class Dot, int kRows>
void multiply_tile(const std::uint32_t* x, std::int64_t x_stride, const std::uint32_t* w,
                   std::int64_t depth, bool accumulate, typename Dot::Value* c,
                   std::int64_t c_stride) {
  typename Dot::Sum sums[kRows][2];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    sums[r][0] = accumulate ? Dot::load(c + r * c_stride) : Dot::zero();
    sums[r][1] = accumulate ? Dot::load(c + r * c_stride + 16) : Dot::zero();
  }
  // Three rows a pointer: their addresses are the scaled index forms of one instruction.
  constexpr int kBases = (kRows + 2) / 3;
  const std::uint32_t* base[kBases];
#pragma GCC unroll 4
  for (int b = 0; b < kBases; ++b) base[b] = x + 3 * b * x_stride;
  for (std::int64_t i = 0; i < depth; ++i, w += kPanelColumns) {
    const __m512i w0 = _mm512_loadu_si512(w);
    const __m512i w1 = _mm512_loadu_si512(w + 16);
    _mm_prefetch(reinterpret_cast<const char*>(w + kPanelColumns * 16), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char*>(w + kPanelColumns * 16 + 16), _MM_HINT_T0);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const __m512i v = _mm512_set1_epi32(static_cast<int>(base[r / 3][r % 3 * x_stride]));
      sums[r][0] = Dot::add(sums[r][0], v, w0);
      sums[r][1] = Dot::add(sums[r][1], v, w1);
    }
#pragma GCC unroll 4
    for (int b = 0; b < kBases; ++b) ++base[b];
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    Dot::store(c + r * c_stride, sums[r][0]);
    Dot::store(c + r * c_stride + 16, sums[r][1]);
  }
}

// Tiles of even height: a last tile of one or two rows would wait for its loads.
template <class Dot>
void multiply_tiles(const std::uint32_t* x, std::int64_t x_stride, const std::uint32_t* w,
                    std::int64_t depth, std::int64_t rows, bool accumulate, typename Dot::Value* c,
                    std::int64_t c_stride) {
  using Tile = void (*)(const std::uint32_t*, std::int64_t, const std::uint32_t*, std::int64_t,
                        bool, typename Dot::Value*, std::int64_t);
  static constexpr Tile kTiles[kTileRows + 1] = {
      nullptr,
      multiply_tile<Dot, 1>,
      multiply_tile<Dot, 2>,
      multiply_tile<Dot, 3>,
      multiply_tile<Dot, 4>,
      multiply_tile<Dot, 5>,
      multiply_tile<Dot, 6>,
      multiply_tile<Dot, 7>,
      multiply_tile<Dot, 8>,
      multiply_tile<Dot, 9>,
      multiply_tile<Dot, 10>,
      multiply_tile<Dot, 11>,
      multiply_tile<Dot, 12>,
  };
  for (std::int64_t tiles = (rows + kTileRows - 1) / kTileRows; tiles > 0; --tiles) {
    const std::int64_t height = (rows + tiles - 1) / tiles;
    kTiles[height](x, x_stride, w, depth, accumulate, c, c_stride);
    rows -= height;
    x += height * x_stride;
    c += height * c_stride;
  }
}

}  // namespace
}  // namespace vecframe::backends::cpu
