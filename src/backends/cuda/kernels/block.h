// How the kernels are written: one body for the GPU and for the host.
//
// A kernel is a struct of plain arguments with
//   static constexpr int kThreads;                 threads of a block, a multiple of 32
//   struct Shared { ... };                         what the threads of a block share
//   template <class B> void run(B& block) const;   the work of one block
// and run() is a sequence of phases, block.each([&](int thread) { ... }), with a barrier behind
// each of them. What a thread keeps between phases is a B::PerThread<T>. What threads of a warp do
// together (sums over lanes, products of tensor cores) are calls of the block, between phases. So
// the same body runs on the host, where a phase is a loop over the threads: that is how every index
// is tested without a GPU.
#pragma once

#include <cstdint>

#include "backends/cuda/kernels/element.h"

namespace vecframe::backends::cuda {

inline constexpr int kWarp = 32;

/// What one lane gives to a product of a warp, D[16 x 8] += A[16 x 16] B[16 x 8], in the layout of
/// mma.sync.m16n8k16. With g = lane / 4 and i = lane % 4: a[0] holds row g, columns 2 i and 2 i +
/// 1; a[1] those of row g + 8; a[2] and a[3] the same rows, columns 8 further; b[0] holds rows 2 i
/// and 2 i + 1 of column g; b[1] rows 8 further; c[0], c[1] row g, columns 2 i and 2 i + 1 of D;
/// c[2], c[3] those of row g + 8. The lower half of a register comes first.
struct MmaLane {
  float* c;
  std::uint32_t a[4];
  std::uint32_t b[2];
};

/// A lane's part of the right factors b of two products, from 16 x 16 values of shared memory whose
/// rows are `pitch` apart and start at 16 bytes: to[0] and to[1] are b of the first, to[2] and
/// to[3] of the second. Called by all lanes of a warp together, with the same tile. load_across: a
/// row of the tile is a column of b, and the second product has rows 8 to 15. load_down: a column
/// of the tile is a column of b, and the second product has columns 8 to 15.
#ifdef __CUDACC__
template <class T>
VECFRAME_KERNEL void load_across(const T* tile, int pitch, int lane, std::uint32_t (&to)[4]);
template <class T>
VECFRAME_KERNEL void load_down(const T* tile, int pitch, int lane, std::uint32_t (&to)[4]);
#endif

}  // namespace vecframe::backends::cuda

#ifdef __CUDACC__
#include "backends/cuda/kernels/block_device.h"
#else
#include "backends/cuda/kernels/block_host.h"
#endif
