// A block on the host: a phase is a loop over the threads. Shared memory and what threads keep
// begin as NaN, so that a value read before it was written shows.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <memory>
#include <vector>

#include "backends/cuda/kernels/block.h"

namespace vecframe::backends::cuda {

/// Whether threads and blocks go from the last to the first: what they write must not depend on it.
inline thread_local bool host_order_is_reversed = false;

template <class Kernel>
class HostBlock {
 public:
  static constexpr int kThreads = Kernel::kThreads;
  static_assert(kThreads % kWarp == 0);

  template <class T>
  class PerThread {
   public:
    PerThread() : values_(std::make_unique<T[]>(kThreads)) {
      std::memset(static_cast<void*>(values_.get()), 0xFF, sizeof(T) * kThreads);
    }
    T& operator[](int thread) { return values_[static_cast<std::size_t>(thread)]; }

   private:
    std::unique_ptr<T[]> values_;
  };

  HostBlock() : shared_(std::make_unique<typename Kernel::Shared>()) {}

  void begin(std::int64_t index) {
    index_ = index;
    std::memset(static_cast<void*>(shared_.get()), 0xFF, sizeof(typename Kernel::Shared));
  }

  std::int64_t index() const { return index_; }
  typename Kernel::Shared& shared() const { return *shared_; }

  template <class F>
  void each(F f) {
    for (int i = 0; i < kThreads; ++i) f(host_order_is_reversed ? kThreads - 1 - i : i);
  }
  template <class F>
  void each_alone(F f) {
    each(f);
  }

  template <int kLanes, class F>
  void sum_over(F f) {
    combine<kLanes>(f, [](float a, float b) { return a + b; });
  }
  template <int kLanes, class F>
  void largest_over(F f) {
    combine<kLanes>(f, [](float a, float b) { return std::fmax(a, b); });
  }

  template <class T, class F>
  void mma(F f) {
    for (int warp = 0; warp < kThreads; warp += kWarp) {
      std::array<MmaLane, kWarp> lanes;
      for (int lane = 0; lane < kWarp; ++lane)
        lanes[static_cast<std::size_t>(lane)] = f(warp + lane);
      multiply<T>(lanes);
    }
  }

 private:
  // As shuffles do it: every lane with the one whose number differs in one bit.
  template <int kLanes, class F, class Combine>
  void combine(F f, Combine combine) {
    for (int step = kLanes / 2; step > 0; step /= 2) {
      std::array<float, kThreads> before;
      for (int t = 0; t < kThreads; ++t) before[static_cast<std::size_t>(t)] = f(t);
      for (int t = 0; t < kThreads; ++t)
        f(t) = combine(before[static_cast<std::size_t>(t)],
                       before[static_cast<std::size_t>(t ^ step)]);
    }
  }

  template <class T>
  static float half_of(std::uint32_t pair, int which) {
    return to_float(T{static_cast<std::uint16_t>(pair >> (16 * which))});
  }

  template <class T>
  static void multiply(std::array<MmaLane, kWarp>& lanes) {
    float a[16][16], b[8][16];
    for (int lane = 0; lane < kWarp; ++lane) {
      const MmaLane& from = lanes[static_cast<std::size_t>(lane)];
      const int g = lane / 4, i = lane % 4;
      for (int half = 0; half < 2; ++half) {
        for (int r = 0; r < 4; ++r)
          a[g + r % 2 * 8][2 * i + half + r / 2 * 8] = half_of<T>(from.a[r], half);
        for (int r = 0; r < 2; ++r) b[g][2 * i + half + r * 8] = half_of<T>(from.b[r], half);
      }
    }
    for (int lane = 0; lane < kWarp; ++lane) {
      const int g = lane / 4, i = lane % 4;
      for (int r = 0; r < 4; ++r) {
        const int row = g + r / 2 * 8, column = 2 * i + r % 2;
        float sum = 0;
        for (int k = 0; k < 16; ++k) sum += a[row][k] * b[column][k];
        lanes[static_cast<std::size_t>(lane)].c[r] += sum;
      }
    }
  }

  std::unique_ptr<typename Kernel::Shared> shared_;
  std::int64_t index_ = 0;
};

/// The whole grid, block after block.
template <class Kernel>
void run_on_host(const Kernel& kernel, std::int64_t blocks) {
  HostBlock<Kernel> block;
  for (std::int64_t i = 0; i < blocks; ++i) {
    block.begin(host_order_is_reversed ? blocks - 1 - i : i);
    kernel.run(block);
  }
}

}  // namespace vecframe::backends::cuda
