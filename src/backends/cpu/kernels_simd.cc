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
#include "backends/cpu/int8-inl.h"
#include "backends/cpu/map-inl.h"
#include "backends/cpu/multiply-inl.h"
#include "backends/cpu/pooling-inl.h"

HWY_BEFORE_NAMESPACE();
namespace vecframe::backends::cpu::HWY_NAMESPACE {

Kernels make_kernels(const char* name) {
  Kernels kernels{};
  kernels.name = name;
  kernels.panel_columns = panel_columns();
  kernels.tile_rows = kTileRows;
  kernels.multiply = multiply;
  kernels.multiply_int16 = multiply_int16;
  kernels.value_range = value_range;
  kernels.narrow = narrow;
  kernels.widen = widen;
  kernels.finish = finish;
  kernels.scale_rows = scale_rows;
  kernels.round_to_bf16 = round_to_bf16;
  kernels.exp_rows = exp_rows;
  kernels.normalize = normalize;
  kernels.gate = gate;
  kernels.rotate_pairs = rotate_pairs;
  kernels.dot_rows = dot_rows;
  kernels.sum_rows = sum_rows;
  kernels.depthwise = depthwise;
  kernels.max_rows = max_rows;
  kernels.normalize_response = normalize_response;
  return kernels;
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
