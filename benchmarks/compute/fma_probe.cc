#include "compute/fma_probe.h"

#include <stdexcept>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace vecframe::benchmarks {
namespace {

volatile float sink;

#if defined(__x86_64__)
// 24 and 12 independent sums: enough to hide the latency of two FMA units.
__attribute__((target("avx512f"))) double flops_avx512(long rounds) {
  __m512 sums[24];
  for (int i = 0; i < 24; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const __m512 a = _mm512_set1_ps(0.9999f), b = _mm512_set1_ps(1e-4f);
  for (long n = 0; n < rounds; ++n) {
#pragma GCC unroll 24
    for (int i = 0; i < 24; ++i) sums[i] = _mm512_fmadd_ps(sums[i], a, b);
  }
  for (int i = 1; i < 24; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  sink = _mm512_cvtss_f32(sums[0]);
  return 24.0 * 32 * static_cast<double>(rounds);
}

__attribute__((target("avx512f,avx512bf16"))) double flops_bf16(long rounds) {
  __m512 sums[24];
  for (int i = 0; i < 24; ++i) sums[i] = _mm512_set1_ps(static_cast<float>(i));
  const auto a = reinterpret_cast<__m512bh>(_mm512_set1_epi32(0x3C003C00));
  const auto b = reinterpret_cast<__m512bh>(_mm512_set1_epi32(0x3B003B00));
  for (long n = 0; n < rounds; ++n) {
#pragma GCC unroll 24
    for (int i = 0; i < 24; ++i) sums[i] = _mm512_dpbf16_ps(sums[i], a, b);
  }
  for (int i = 1; i < 24; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  sink = _mm512_cvtss_f32(sums[0]);
  return 24.0 * 64 * static_cast<double>(rounds);
}

__attribute__((target("avx2,fma"))) double flops_avx2(long rounds) {
  __m256 sums[12];
  for (int i = 0; i < 12; ++i) sums[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.9999f), b = _mm256_set1_ps(1e-4f);
  for (long n = 0; n < rounds; ++n) {
#pragma GCC unroll 12
    for (int i = 0; i < 12; ++i) sums[i] = _mm256_fmadd_ps(sums[i], a, b);
  }
  for (int i = 1; i < 12; ++i) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  sink = _mm256_cvtss_f32(sums[0]);
  return 12.0 * 16 * static_cast<double>(rounds);
}
#endif

using Burst = double (*)(long);

Burst burst_of([[maybe_unused]] const std::string& isa,
               [[maybe_unused]] tensor::Precision precision) {
#if defined(__x86_64__)
  const bool bf16 = precision == tensor::Precision::kBf16;
  if (isa == "avx512-bf16" && bf16) return flops_bf16;
  if (isa.starts_with("avx512")) return flops_avx512;
  if (isa == "avx2") return flops_avx2;
#endif
  throw std::invalid_argument("no probe for instruction set '" + isa + "'");
}

}  // namespace

double fma_probe(const std::string& isa, tensor::Precision precision, double milliseconds,
                 ClockKind clock) {
  const Burst burst = burst_of(isa, precision);
  const double start = now_seconds(clock);
  double flops = 0, seconds = 0;
  while (seconds * 1000 < milliseconds) {
    flops += burst(20000);
    seconds = now_seconds(clock) - start;
  }
  return flops / seconds / 1e9;
}

}  // namespace vecframe::benchmarks
