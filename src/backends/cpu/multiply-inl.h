// Tiles of the matrix product: up to kTileRows rows by two vectors of columns, in registers.
#if defined(VECFRAME_MULTIPLY_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VECFRAME_MULTIPLY_INL_H
#undef VECFRAME_MULTIPLY_INL_H
#else
#define VECFRAME_MULTIPLY_INL_H
#endif

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include <cstdint>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace vecframe::backends::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// As many accumulators as leave registers for two vectors of weights and one of input.
#if HWY_TARGET == HWY_AVX3
constexpr std::int64_t kTileRows = 12;
#else
constexpr std::int64_t kTileRows = 6;
#endif

inline std::int64_t panel_columns() {
  return 2 * static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<float>()));
}

template <int kRows>
void multiply_tile(const float* x, std::int64_t x_stride, const float* HWY_RESTRICT w,
                   std::int64_t k, bool accumulate, float* c, std::int64_t c_stride) {
  const hn::ScalableTag<float> d;
  const std::int64_t n = panel_columns() / 2;
  hn::Vec<decltype(d)> sums[kRows][2];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    sums[r][0] = accumulate ? hn::LoadU(d, c + r * c_stride) : hn::Zero(d);
    sums[r][1] = accumulate ? hn::LoadU(d, c + r * c_stride + n) : hn::Zero(d);
  }
  // Three rows a pointer: their addresses are the scaled index forms of one instruction.
  constexpr int kBases = (kRows + 2) / 3;
  const float* base[kBases];
#pragma GCC unroll 4
  for (int b = 0; b < kBases; ++b) base[b] = x + 3 * b * x_stride;
  for (std::int64_t i = 0; i < k; ++i, w += 2 * n) {
    const auto w0 = hn::Load(d, w);
    const auto w1 = hn::Load(d, w + n);
    hwy::Prefetch(w + 2 * n * 16);
    if (n == 16) hwy::Prefetch(w + 2 * n * 16 + 16);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const auto v = hn::Set(d, base[r / 3][r % 3 * x_stride]);
      sums[r][0] = hn::MulAdd(v, w0, sums[r][0]);
      sums[r][1] = hn::MulAdd(v, w1, sums[r][1]);
    }
#pragma GCC unroll 4
    for (int b = 0; b < kBases; ++b) ++base[b];
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    hn::StoreU(sums[r][0], d, c + r * c_stride);
    hn::StoreU(sums[r][1], d, c + r * c_stride + n);
  }
}

// Calls tile(integral constant of its height) for tiles of even height: a last tile of one or two
// rows would wait for its loads.
template <class Tile>
HWY_INLINE void for_tiles(std::int64_t rows, Tile tile) {
  for (std::int64_t tiles = (rows + kTileRows - 1) / kTileRows; tiles > 0; --tiles) {
    const std::int64_t height = (rows + tiles - 1) / tiles;
    rows -= height;
    switch (height) {
#define VECFRAME_TILE(h)                    \
  case h:                                   \
    tile(std::integral_constant<int, h>()); \
    break;
      VECFRAME_TILE(1)
      VECFRAME_TILE(2)
      VECFRAME_TILE(3)
      VECFRAME_TILE(4)
      VECFRAME_TILE(5)
      VECFRAME_TILE(6)
#if HWY_TARGET == HWY_AVX3
      VECFRAME_TILE(7)
      VECFRAME_TILE(8)
      VECFRAME_TILE(9)
      VECFRAME_TILE(10)
      VECFRAME_TILE(11)
      VECFRAME_TILE(12)
#endif
#undef VECFRAME_TILE
      default:
        return;
    }
  }
}

inline void multiply(const float* x, std::int64_t x_stride, const float* w, std::int64_t k,
                     std::int64_t rows, bool accumulate, float* c, std::int64_t c_stride) {
  for_tiles(rows, [&](auto height) HWY_ATTR {
    multiply_tile<decltype(height)::value>(x, x_stride, w, k, accumulate, c, c_stride);
    x += height * x_stride;
    c += height * c_stride;
  });
}

}  // namespace vecframe::backends::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
