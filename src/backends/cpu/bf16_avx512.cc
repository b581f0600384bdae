// The vdpbf16ps kernels. This file alone is compiled for AVX512-BF16; it includes nothing whose
// inline functions another file could be linked to.

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

constexpr Bf16Kernels kKernels{kPanelColumns, multiply_tiles<DotBf16>, convert};

}  // namespace

const Bf16Kernels* bf16_kernels() {
  static const bool supported = __builtin_cpu_supports("avx512bf16") != 0 &&
                                __builtin_cpu_supports("avx512bw") != 0 &&
                                __builtin_cpu_supports("avx512vl") != 0;
  return supported ? &kKernels : nullptr;
}

}  // namespace vecframe::backends::cpu
