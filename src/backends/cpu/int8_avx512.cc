// The vpdpbusd kernels. This file alone is compiled for AVX512-VNNI; it includes nothing whose
// inline functions another file could be linked to.

#include <immintrin.h>

#include <cstdint>

#include "backends/cpu/avx512_tiles-inl.h"
#include "backends/cpu/int8_kernels.h"

namespace vecframe::backends::cpu {
namespace {

struct DotInt8 {
  using Sum = __m512i;
  using Value = std::int32_t;
  static Sum zero() { return _mm512_setzero_si512(); }
  static Sum load(const std::int32_t* from) { return _mm512_loadu_si512(from); }
  static void store(std::int32_t* to, Sum sum) { _mm512_storeu_si512(to, sum); }
  static Sum add(Sum sum, __m512i x, __m512i w) { return _mm512_dpbusd_epi32(sum, x, w); }
};

constexpr Int8Kernels kKernels{kPanelColumns, multiply_tiles<DotInt8>};

}  // namespace

const Int8Kernels* int8_kernels() {
  static const bool supported = __builtin_cpu_supports("avx512vnni") != 0 &&
                                __builtin_cpu_supports("avx512bw") != 0 &&
                                __builtin_cpu_supports("avx512vl") != 0;
  return supported ? &kKernels : nullptr;
}

}  // namespace vecframe::backends::cpu
