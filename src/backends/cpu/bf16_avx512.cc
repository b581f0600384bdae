// The bf16 kernels, for vdpbf16ps. This file alone is compiled for AVX512-BF16; it includes nothing
// whose inline functions another file could be linked to.

#include <immintrin.h>

#include <cstdint>

#include "backends/cpu/avx512_tiles-inl.h"
#include "backends/cpu/bf16_kernels.h"

namespace vecframe::backends::cpu {
namespace {

struct DotBf16 {
  using Sum = __m512;
  using Value = float;
  static Sum zero() { return _mm512_setzero_ps(); }
  static Sum load(const float* from) { return _mm512_loadu_ps(from); }
  static void store(float* to, Sum sum) { _mm512_storeu_ps(to, sum); }
  static Sum add(Sum sum, __m512i x, __m512i w) {
    return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(x), reinterpret_cast<__m512bh>(w));
  }
};

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

// 16 rows of 16 words, as columns. Rows and columns of `v` change places.
inline void transpose(__m512i (&v)[16]) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    t[2 * i] = _mm512_unpacklo_epi32(v[2 * i], v[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_epi32(v[2 * i], v[2 * i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    v[4 * i] = _mm512_unpacklo_epi64(t[4 * i], t[4 * i + 2]);
    v[4 * i + 1] = _mm512_unpackhi_epi64(t[4 * i], t[4 * i + 2]);
    v[4 * i + 2] = _mm512_unpacklo_epi64(t[4 * i + 1], t[4 * i + 3]);
    v[4 * i + 3] = _mm512_unpackhi_epi64(t[4 * i + 1], t[4 * i + 3]);
  }
  // v[4 i + j] has column 4 b + j of rows 4 i to 4 i + 3 in its 128 bits number b.
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    t[j] = _mm512_shuffle_i32x4(v[j], v[4 + j], 0x88);
    t[4 + j] = _mm512_shuffle_i32x4(v[j], v[4 + j], 0xDD);
    t[8 + j] = _mm512_shuffle_i32x4(v[8 + j], v[12 + j], 0x88);
    t[12 + j] = _mm512_shuffle_i32x4(v[8 + j], v[12 + j], 0xDD);
  }
#pragma GCC unroll 4
  for (int j = 0; j < 4; ++j) {
    v[j] = _mm512_shuffle_i32x4(t[j], t[8 + j], 0x88);
    v[4 + j] = _mm512_shuffle_i32x4(t[4 + j], t[12 + j], 0x88);
    v[8 + j] = _mm512_shuffle_i32x4(t[j], t[8 + j], 0xDD);
    v[12 + j] = _mm512_shuffle_i32x4(t[4 + j], t[12 + j], 0xDD);
  }
}

inline __mmask16 first_lanes(std::int64_t count) {
  return static_cast<__mmask16>(count >= 16 ? 0xFFFFu : count <= 0 ? 0u : (1u << count) - 1u);
}

void pack_rows(const std::uint32_t* x, std::int64_t x_stride, std::int64_t rows, std::int64_t pairs,
               std::uint32_t* to) {
  for (std::int64_t first = 0; first < rows; first += kPanelColumns, to += kPanelColumns * pairs) {
    for (std::int64_t half = 0; half < kPanelColumns; half += 16) {
      for (std::int64_t c = 0; c < pairs; c += 16) {
        const __mmask16 lanes = first_lanes(pairs - c);
        __m512i v[16];
#pragma GCC unroll 16
        for (int r = 0; r < 16; ++r) {
          const std::int64_t row = first + half + r;
          v[r] = _mm512_maskz_loadu_epi32(row < rows ? lanes : __mmask16{0},
                                          x + (row < rows ? row * x_stride : 0) + c);
        }
        transpose(v);
        const std::int64_t count = pairs - c < 16 ? pairs - c : 16;
        for (std::int64_t i = 0; i < count; ++i)
          _mm512_storeu_si512(to + (c + i) * kPanelColumns + half, v[i]);
      }
    }
  }
}

void pack_row_pairs(const std::uint16_t* x, std::int64_t x_stride, std::int64_t rows,
                    std::int64_t columns, std::uint32_t* to) {
  for (std::int64_t first = 0; first < columns; first += kPanelColumns) {
    for (std::int64_t row = 0; row < rows; row += 2, to += kPanelColumns) {
      const std::uint16_t* even = x + row * x_stride + first;
      const std::uint16_t* odd = row + 1 < rows ? even + x_stride : even;
      for (std::int64_t half = 0; half < kPanelColumns; half += 16) {
        const __mmask16 lanes = first_lanes(columns - first - half);
        const __mmask16 odd_lanes = row + 1 < rows ? lanes : __mmask16{0};
        const __m512i low =
            _mm512_cvtepu16_epi32(_mm256_maskz_loadu_epi16(lanes, even + (lanes != 0 ? half : 0)));
        const __m512i high = _mm512_cvtepu16_epi32(
            _mm256_maskz_loadu_epi16(odd_lanes, odd + (lanes != 0 ? half : 0)));
        _mm512_storeu_si512(to + half, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
      }
    }
  }
}

// 2^t of t <= 0, relative error below 4e-6: much less than bf16 rounds away. NaN stays NaN.
inline __m512 exp2_of(__m512 t) {
  t = _mm512_max_ps(_mm512_set1_ps(-200.0f), t);
  const __m512 n = _mm512_roundscale_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m512 f = _mm512_sub_ps(t, n);
  __m512 p = _mm512_set1_ps(9.570101e-3f);
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(5.591786e-2f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(2.4024745e-1f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(6.9312182e-1f));
  p = _mm512_fmadd_ps(p, f, _mm512_set1_ps(1.0f));
  return _mm512_scalef_ps(p, n);
}

float exp_row(const float* scores, float scale, std::int64_t count, std::int64_t filled,
              std::uint32_t* to) {
  __m512 largest = _mm512_set1_ps(scores[0]);
  std::int64_t i = 0;
  for (; i + 16 <= count; i += 16) largest = _mm512_max_ps(largest, _mm512_loadu_ps(scores + i));
  if (i < count) {
    const __mmask16 lanes = first_lanes(count - i);
    largest = _mm512_mask_max_ps(largest, lanes, largest, _mm512_maskz_loadu_ps(lanes, scores + i));
  }
  const __m512 factor = _mm512_set1_ps(scale * 1.44269504f);  // 1 / ln 2
  const __m512 shift = _mm512_set1_ps(_mm512_reduce_max_ps(largest) * scale * 1.44269504f);
  __m512 sum = _mm512_setzero_ps();
  i = 0;
  for (; i + 32 <= count; i += 32) {
    const __m512 a = exp2_of(_mm512_fmsub_ps(_mm512_loadu_ps(scores + i), factor, shift));
    const __m512 b = exp2_of(_mm512_fmsub_ps(_mm512_loadu_ps(scores + i + 16), factor, shift));
    sum = _mm512_add_ps(sum, _mm512_add_ps(a, b));
    _mm512_storeu_si512(to + i / 2, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a)));
  }
  for (; i < filled; i += 32) {
    const __mmask16 in_a = first_lanes(count - i), in_b = first_lanes(count - i - 16);
    const __m512 a = _mm512_maskz_mov_ps(
        in_a, exp2_of(_mm512_fmsub_ps(_mm512_maskz_loadu_ps(in_a, scores + i), factor, shift)));
    const __m512 b = _mm512_maskz_mov_ps(
        in_b,
        exp2_of(_mm512_fmsub_ps(_mm512_maskz_loadu_ps(in_b, scores + i + 16), factor, shift)));
    sum = _mm512_add_ps(sum, _mm512_add_ps(a, b));
    _mm512_storeu_si512(to + i / 2, reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(b, a)));
  }
  return 1 / _mm512_reduce_add_ps(sum);
}

constexpr Bf16Kernels kKernels{kPanelColumns, multiply_tiles<DotBf16>, convert,
                               pack_rows,     pack_row_pairs,          exp_row};

}  // namespace

const Bf16Kernels* bf16_kernels() {
  static const bool supported = __builtin_cpu_supports("avx512bf16") != 0 &&
                                __builtin_cpu_supports("avx512bw") != 0 &&
                                __builtin_cpu_supports("avx512vl") != 0;
  return supported ? &kKernels : nullptr;
}

}  // namespace vecframe::backends::cpu
