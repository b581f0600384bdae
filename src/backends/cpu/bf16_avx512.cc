// The vdpbf16ps kernels. This file alone is compiled for AVX512-BF16; it includes nothing whose
// inline functions another file could be linked to.

#include <immintrin.h>

#include <cstdint>

#include "backends/cpu/bf16_kernels.h"

namespace vecframe::backends::cpu {
namespace {

constexpr std::int64_t kPanelColumns = 32;
constexpr std::int64_t kTileRows = 12;  // 24 accumulators of 32 registers

inline __m512bh as_bf16(__m512i bits) { return reinterpret_cast<__m512bh>(bits); }

template <int kRows>
void multiply_tile(const std::uint32_t* x, std::int64_t x_stride, const std::uint32_t* w,
                   std::int64_t pairs, bool accumulate, float* c, std::int64_t c_stride) {
  __m512 sums[kRows][2];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    sums[r][0] = accumulate ? _mm512_loadu_ps(c + r * c_stride) : _mm512_setzero_ps();
    sums[r][1] = accumulate ? _mm512_loadu_ps(c + r * c_stride + 16) : _mm512_setzero_ps();
  }
  // Three rows a pointer: their addresses are the scaled index forms of one instruction.
  constexpr int kBases = (kRows + 2) / 3;
  const std::uint32_t* base[kBases];
#pragma GCC unroll 4
  for (int b = 0; b < kBases; ++b) base[b] = x + 3 * b * x_stride;
  for (std::int64_t i = 0; i < pairs; ++i, w += kPanelColumns) {
    const __m512bh w0 = as_bf16(_mm512_loadu_si512(w));
    const __m512bh w1 = as_bf16(_mm512_loadu_si512(w + 16));
    _mm_prefetch(reinterpret_cast<const char*>(w + kPanelColumns * 16), _MM_HINT_T0);
    _mm_prefetch(reinterpret_cast<const char*>(w + kPanelColumns * 16 + 16), _MM_HINT_T0);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const __m512bh v =
          as_bf16(_mm512_set1_epi32(static_cast<int>(base[r / 3][r % 3 * x_stride])));
      sums[r][0] = _mm512_dpbf16_ps(sums[r][0], v, w0);
      sums[r][1] = _mm512_dpbf16_ps(sums[r][1], v, w1);
    }
#pragma GCC unroll 4
    for (int b = 0; b < kBases; ++b) ++base[b];
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    _mm512_storeu_ps(c + r * c_stride, sums[r][0]);
    _mm512_storeu_ps(c + r * c_stride + 16, sums[r][1]);
  }
}

using Tile = void (*)(const std::uint32_t*, std::int64_t, const std::uint32_t*, std::int64_t, bool,
                      float*, std::int64_t);
constexpr Tile kTiles[kTileRows + 1] = {
    nullptr,           multiply_tile<1>,  multiply_tile<2>,  multiply_tile<3>, multiply_tile<4>,
    multiply_tile<5>,  multiply_tile<6>,  multiply_tile<7>,  multiply_tile<8>, multiply_tile<9>,
    multiply_tile<10>, multiply_tile<11>, multiply_tile<12>,
};

// Tiles of even height: a last tile of one or two rows would wait for its loads.
void multiply(const std::uint32_t* x, std::int64_t x_stride, const std::uint32_t* w,
              std::int64_t pairs, std::int64_t rows, bool accumulate, float* c,
              std::int64_t c_stride) {
  for (std::int64_t tiles = (rows + kTileRows - 1) / kTileRows; tiles > 0; --tiles) {
    const std::int64_t height = (rows + tiles - 1) / tiles;
    kTiles[height](x, x_stride, w, pairs, accumulate, c, c_stride);
    rows -= height;
    x += height * x_stride;
    c += height * c_stride;
  }
}

void convert(const float* from, std::int64_t count, std::uint32_t* to) {
  std::int64_t i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m512bh both =
        _mm512_cvtne2ps_pbh(_mm512_loadu_ps(from + i + 16), _mm512_loadu_ps(from + i));
    _mm512_storeu_si512(to + i / 2, reinterpret_cast<__m512i>(both));
  }
  for (; i < count; i += 16) {
    const std::int64_t rest = count - i < 16 ? count - i : 16;
    const auto lanes = static_cast<__mmask16>((1u << rest) - 1u);
    const auto pairs = static_cast<__mmask8>((1u << ((rest + 1) / 2)) - 1u);
    const __m256bh half = _mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(lanes, from + i));
    _mm256_mask_storeu_epi32(to + i / 2, pairs, reinterpret_cast<__m256i>(half));
  }
}

constexpr Bf16Kernels kKernels{kPanelColumns, multiply, convert};

}  // namespace

const Bf16Kernels* bf16_kernels() {
  static const bool supported = __builtin_cpu_supports("avx512bf16") != 0 &&
                                __builtin_cpu_supports("avx512bw") != 0 &&
                                __builtin_cpu_supports("avx512vl") != 0;
  return supported ? &kKernels : nullptr;
}

}  // namespace vecframe::backends::cpu
