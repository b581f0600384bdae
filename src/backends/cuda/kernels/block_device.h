// A block on the GPU: a phase is what this thread does of it, then a barrier.
#pragma once

#include "backends/cuda/kernels/block.h"

namespace vecframe::backends::cuda {

// Volatile, so that no product moves into a branch that some lanes do not take.
VECFRAME_KERNEL void mma_sync(Bf16, MmaLane& lane) {
  float* c = lane.c;
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(lane.a[0]), "r"(lane.a[1]), "r"(lane.a[2]), "r"(lane.a[3]), "r"(lane.b[0]),
        "r"(lane.b[1]));
}

VECFRAME_KERNEL void mma_sync(F16, MmaLane& lane) {
  float* c = lane.c;
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(lane.a[0]), "r"(lane.a[1]), "r"(lane.a[2]), "r"(lane.a[3]), "r"(lane.b[0]),
        "r"(lane.b[1]));
}

// Four 8 x 8 matrices of 16 bits for a warp: lane l gives the row l % 8 of matrix l / 8.
#define VECFRAME_LOAD_MATRICES(transposed)                                                   \
  asm volatile("ldmatrix.sync.aligned.m8n8.x4" transposed ".shared.b16 {%0,%1,%2,%3}, [%4];" \
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])                          \
               : "r"(static_cast<std::uint32_t>(__cvta_generic_to_shared(row)))              \
               : "memory")

template <class T>
VECFRAME_KERNEL void load_across(const T* tile, int pitch, int lane, std::uint32_t (&to)[4]) {
  const T* row = tile + (lane / 16 * 8 + lane % 8) * pitch + lane / 8 % 2 * 8;
  VECFRAME_LOAD_MATRICES("");
}

template <class T>
VECFRAME_KERNEL void load_down(const T* tile, int pitch, int lane, std::uint32_t (&to)[4]) {
  const T* row = tile + (lane / 8 % 2 * 8 + lane % 8) * pitch + lane / 16 * 8;
  VECFRAME_LOAD_MATRICES(".trans");
}
#undef VECFRAME_LOAD_MATRICES

template <class Kernel>
class DeviceBlock {
 public:
  /// One thread's own value, in its registers.
  template <class T>
  class PerThread {
   public:
    VECFRAME_KERNEL T& operator[](int /*thread*/) { return value_; }

   private:
    T value_;
  };

  VECFRAME_KERNEL std::int64_t index() const { return blockIdx.x; }

  VECFRAME_KERNEL typename Kernel::Shared& shared() const {
    extern __shared__ __align__(16) unsigned char bytes[];
    return *reinterpret_cast<typename Kernel::Shared*>(bytes);
  }

  template <class F>
  VECFRAME_KERNEL void each(F f) {
    f(static_cast<int>(threadIdx.x));
    __syncthreads();
  }

  /// A phase that touches what is the thread's own, and what others only read: no barrier.
  template <class F>
  VECFRAME_KERNEL void each_alone(F f) {
    f(static_cast<int>(threadIdx.x));
  }

  /// Of every kLanes neighbours, f(thread) becomes the sum of theirs.
  template <int kLanes, class F>
  VECFRAME_KERNEL void sum_over(F f) {
    float& value = f(static_cast<int>(threadIdx.x));
#pragma unroll
    for (int step = kLanes / 2; step > 0; step /= 2)
      value += __shfl_xor_sync(0xFFFFFFFFu, value, step);
  }

  template <int kLanes, class F>
  VECFRAME_KERNEL void largest_over(F f) {
    float& value = f(static_cast<int>(threadIdx.x));
#pragma unroll
    for (int step = kLanes / 2; step > 0; step /= 2)
      value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFu, value, step));
  }

  /// f(thread) gives the lane's part of its warp's product.
  template <class T, class F>
  VECFRAME_KERNEL void mma(F f) {
    MmaLane lane = f(static_cast<int>(threadIdx.x));
    mma_sync(T{}, lane);
  }
};

template <class Kernel>
__global__ void __launch_bounds__(Kernel::kThreads) run_kernel(const Kernel kernel) {
  DeviceBlock<Kernel> block;
  kernel.run(block);
}

}  // namespace vecframe::backends::cuda
