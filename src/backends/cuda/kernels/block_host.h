// A block on the host: a phase is a loop over the threads. Shared memory and what threads keep
// begin as NaN, so that a value read before it was written shows. Where barriers are checked, what
// a thread writes to shared memory is not there for the others before the next one.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "backends/cuda/kernels/block.h"

namespace vecframe::backends::cuda {

template <class T>
void load_across(const T* tile, int pitch, int lane, std::uint32_t (&to)[4]) {
  host_check_aligned(tile, 16);
  host_check_aligned(tile + pitch, 16);
  for (int r = 0; r < 4; ++r)
    to[r] = load2(tile + (r / 2 * 8 + lane / 4) * pitch + r % 2 * 8 + lane % 4 * 2);
}

template <class T>
void load_down(const T* tile, int pitch, int lane, std::uint32_t (&to)[4]) {
  host_check_aligned(tile, 16);
  host_check_aligned(tile + pitch, 16);
  for (int r = 0; r < 4; ++r) {
    const T* first = tile + (r % 2 * 8 + lane % 4 * 2) * pitch + r / 2 * 8 + lane / 4;
    to[r] = static_cast<std::uint32_t>(first[0].bits) |
            static_cast<std::uint32_t>(first[pitch].bits) << 16;
  }
}

/// Whether threads and blocks go from the last to the first: what they write must not depend on it.
inline thread_local bool host_order_is_reversed = false;
/// Whether barriers are checked, in the first and the last blocks of a grid. Slow.
inline thread_local bool host_barriers_are_checked = false;

/// Shared memory as every thread of a block sees it between two barriers: as it was at the last
/// one, but for what the thread itself wrote.
class HostVisibility {
 public:
  HostVisibility(void* memory, std::size_t bytes, std::size_t threads)
      : memory_(static_cast<std::byte*>(memory)),
        at_barrier_(memory_, memory_ + bytes),
        written_(threads) {}

  /// Runs what `thread` does.
  template <class F>
  auto as(int thread, F f) {
    auto& written = written_[static_cast<std::size_t>(thread)];
    if (is_changed_) std::memcpy(memory_, at_barrier_.data(), at_barrier_.size());
    for (const auto& [at, value] : written) memory_[at] = value;
    if constexpr (std::is_void_v<decltype(f())>) {
      f();
      keep(written);
    } else {
      auto result = f();
      keep(written);
      return result;
    }
  }

  /// Throws std::logic_error if two threads wrote different values to one place.
  void barrier() {
    if (!is_changed_) return;
    std::vector<bool> taken(at_barrier_.size());
    std::memcpy(memory_, at_barrier_.data(), at_barrier_.size());
    for (auto& written : written_) {
      for (const auto& [at, value] : written) {
        if (taken[at] && memory_[at] != value)
          throw std::logic_error("two threads write to one place of shared memory");
        taken[at] = true;
        memory_[at] = value;
      }
      written.clear();
    }
    std::memcpy(at_barrier_.data(), memory_, at_barrier_.size());
    is_changed_ = false;
  }

 private:
  using Written = std::vector<std::pair<std::size_t, std::byte>>;

  void keep(Written& written) {
    constexpr std::size_t kStep = 64;
    written.clear();
    is_changed_ = std::memcmp(memory_, at_barrier_.data(), at_barrier_.size()) != 0 || is_changed_;
    if (!is_changed_) return;
    for (std::size_t first = 0; first < at_barrier_.size(); first += kStep) {
      const std::size_t count = std::min(kStep, at_barrier_.size() - first);
      if (std::memcmp(memory_ + first, at_barrier_.data() + first, count) == 0) continue;
      for (std::size_t i = first; i < first + count; ++i)
        if (memory_[i] != at_barrier_[i]) written.emplace_back(i, memory_[i]);
    }
  }

  std::byte* memory_;
  std::vector<std::byte> at_barrier_;
  std::vector<Written> written_;  // of each thread, since the last barrier
  bool is_changed_ = false;       // whether `memory` is not what it was at the barrier
};

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

  void begin(std::int64_t index, bool checks_barriers) {
    index_ = index;
    std::memset(static_cast<void*>(shared_.get()), 0xFF, sizeof(typename Kernel::Shared));
    visibility_.reset();
    if (checks_barriers && !std::is_empty_v<typename Kernel::Shared>)
      visibility_ = std::make_unique<HostVisibility>(shared_.get(), sizeof(typename Kernel::Shared),
                                                     std::size_t{kThreads});
  }

  std::int64_t index() const { return index_; }
  typename Kernel::Shared& shared() const { return *shared_; }

  template <class F>
  void each(F f) {
    each_alone(f);
    if (visibility_ != nullptr) visibility_->barrier();
  }
  template <class F>
  void each_alone(F f) {
    for (int i = 0; i < kThreads; ++i) {
      const int thread = host_order_is_reversed ? kThreads - 1 - i : i;
      as(thread, [&] { f(thread); });
    }
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
        lanes[static_cast<std::size_t>(lane)] = as(warp + lane, [&] { return f(warp + lane); });
      multiply<T>(lanes);
    }
  }

 private:
  template <class F>
  auto as(int thread, F f) {
    return visibility_ != nullptr ? visibility_->as(thread, f) : f();
  }

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
  std::unique_ptr<HostVisibility> visibility_;  // null where barriers are not checked
  std::int64_t index_ = 0;
};

/// The whole grid, block after block.
template <class Kernel>
void run_on_host(const Kernel& kernel, std::int64_t blocks) {
  HostBlock<Kernel> block;
  constexpr std::int64_t kChecked = 2;
  for (std::int64_t i = 0; i < blocks; ++i) {
    block.begin(host_order_is_reversed ? blocks - 1 - i : i,
                host_barriers_are_checked && (i < kChecked || i >= blocks - kChecked));
    kernel.run(block);
  }
}

}  // namespace vecframe::backends::cuda
