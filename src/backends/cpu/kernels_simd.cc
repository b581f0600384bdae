// Compiled once for each instruction set by foreach_target.h; supported_kernels() lists the
// results.

#include "backends/cpu/kernels.h"

// The baseline of x86-64 is portable code; between it and AVX2 one step is enough.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/kernels_simd.cc"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "backends/cpu/depthwise-inl.h"
#include "backends/cpu/elementwise-inl.h"
#include "backends/cpu/map-inl.h"
#include "backends/cpu/multiply-inl.h"
#include "backends/cpu/pooling-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vecframe::backends::cpu::HWY_NAMESPACE {

Kernels make_kernels(const char* name) {
  return {name, panel_columns(), multiply, finish,   scale_rows, exp_rows, normalize,
          gate, rotate_pairs,    dot_rows, sum_rows, depthwise,  max_rows, normalize_response};
}

}  // namespace vecframe::backends::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vecframe::backends::cpu {

const std::vector<Kernels>& supported_kernels() {
  static const std::vector<Kernels> kernels = [] {
    std::vector<Kernels> found;
    [[maybe_unused]] const auto supported = hwy::SupportedTargets();
#if HWY_ARCH_X86
#if HWY_TARGETS & HWY_AVX3
    if (supported & HWY_AVX3) found.push_back(N_AVX3::make_kernels("avx512"));
#endif
#if HWY_TARGETS & HWY_AVX2
    if (supported & HWY_AVX2) found.push_back(N_AVX2::make_kernels("avx2"));
#endif
#if HWY_TARGETS & HWY_SSE4
    if (supported & HWY_SSE4) found.push_back(N_SSE4::make_kernels("sse4"));
#endif
#endif
    found.push_back(HWY_STATIC_DISPATCH(make_kernels)("baseline"));
    return found;
  }();
  return kernels;
}

}  // namespace vecframe::backends::cpu
#endif  // HWY_ONCE
