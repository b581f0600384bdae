#include "fma_probe.h"

#include <immintrin.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace vecframe::benchmarks {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kWarmUp = 100'000;
constexpr std::int64_t kIterations = 3'000'000;
// More chains than an fma's latency times the fmas a cycle, and few enough for AVX2's 16 registers.
constexpr int kChains = 12;

// Twelve independent s = f * s + f; written out so that no compiler moves a chain to memory.
#define VECFRAME_FMA_CHAINS                                                          \
  "vfmadd213ps %12, %12, %0\n vfmadd213ps %12, %12, %1\n vfmadd213ps %12, %12, %2\n" \
  "vfmadd213ps %12, %12, %3\n vfmadd213ps %12, %12, %4\n vfmadd213ps %12, %12, %5\n" \
  "vfmadd213ps %12, %12, %6\n vfmadd213ps %12, %12, %7\n vfmadd213ps %12, %12, %8\n" \
  "vfmadd213ps %12, %12, %9\n vfmadd213ps %12, %12, %10\n vfmadd213ps %12, %12, %11\n"

double gflops(std::int64_t iterations, int lanes, Clock::time_point begun) {
  const std::chrono::duration<double> seconds = Clock::now() - begun;
  return 2.0 * static_cast<double>(iterations) * kChains * lanes / seconds.count() / 1e9;
}

__attribute__((target("avx512f"))) double burst_512(std::int64_t iterations) {
  const __m512 f = _mm512_set1_ps(0.5f);
  __m512 a = f, b = f, c = f, d = f, e = f, g = f, h = f, i = f, j = f, k = f, l = f, m = f;
  const auto begun = Clock::now();
  for (std::int64_t n = 0; n < iterations; ++n) {
    asm volatile(VECFRAME_FMA_CHAINS
                 : "+v"(a), "+v"(b), "+v"(c), "+v"(d), "+v"(e), "+v"(g), "+v"(h), "+v"(i), "+v"(j),
                   "+v"(k), "+v"(l), "+v"(m)
                 : "v"(f));
  }
  return gflops(iterations, /*lanes=*/16, begun);
}

__attribute__((target("avx2,fma"))) double burst_256(std::int64_t iterations) {
  const __m256 f = _mm256_set1_ps(0.5f);
  __m256 a = f, b = f, c = f, d = f, e = f, g = f, h = f, i = f, j = f, k = f, l = f, m = f;
  const auto begun = Clock::now();
  for (std::int64_t n = 0; n < iterations; ++n) {
    asm volatile(VECFRAME_FMA_CHAINS
                 : "+x"(a), "+x"(b), "+x"(c), "+x"(d), "+x"(e), "+x"(g), "+x"(h), "+x"(i), "+x"(j),
                   "+x"(k), "+x"(l), "+x"(m)
                 : "x"(f));
  }
  return gflops(iterations, /*lanes=*/8, begun);
}

double burst(std::int64_t iterations) {
  return __builtin_cpu_supports("avx512f") ? burst_512(iterations) : burst_256(iterations);
}

}  // namespace

double fma_gflops(int threads) {
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::atomic<int> ready{0};
  std::vector<std::thread> team;
  for (double& rate : rates) {
    team.emplace_back([&rate, &ready, threads] {
      ++ready;
      while (ready < threads) {
      }
      burst(kWarmUp);
      rate = burst(kIterations);
    });
  }
  double total = 0;
  for (std::size_t i = 0; i < team.size(); ++i) {
    team[i].join();
    total += rates[i];
  }
  return total;
}

}  // namespace vecframe::benchmarks
