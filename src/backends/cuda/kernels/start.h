// Starts a kernel: on the GPU, or as loops on the host.
#pragma once

#include <cstddef>
#include <limits>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "backends/cuda/kernels/block.h"
#include "backends/cuda/runtime.h"
#ifdef __CUDACC__
#include <cuda_runtime_api.h>

#include "backends/cuda/cuda_check.h"
#else
#include "backends/cuda/emulated/host_queue.h"
#endif

namespace vecframe::backends::cuda {

// What every GPU takes without being asked for more.
inline constexpr std::size_t kMostShared = 48 * 1024, kMostArguments = 4096;
inline constexpr int kMostThreads = 1024;
inline constexpr std::int64_t kMostBlocks = std::numeric_limits<std::int32_t>::max();

template <class Kernel>
void start(QueueHandle queue, const Kernel& kernel, std::int64_t blocks) {
  constexpr std::size_t kShared =
      std::is_empty_v<typename Kernel::Shared> ? 0 : sizeof(typename Kernel::Shared);
  static_assert(kShared <= kMostShared && alignof(typename Kernel::Shared) <= 16);
  static_assert(sizeof(Kernel) <= kMostArguments && std::is_trivially_copyable_v<Kernel>);
  static_assert(Kernel::kThreads <= kMostThreads && Kernel::kThreads % kWarp == 0);
  if (blocks == 0) return;
  if (blocks < 0 || blocks > kMostBlocks)
    throw std::length_error("cuda: a kernel of " + std::to_string(blocks) + " blocks");
#ifdef __CUDACC__
  // The call's own answer: cudaGetLastError() might tell of something earlier.
  void* arguments[] = {const_cast<Kernel*>(&kernel)};
  check(cudaLaunchKernel(reinterpret_cast<const void*>(&run_kernel<Kernel>),
                         dim3(static_cast<unsigned>(blocks)), dim3(Kernel::kThreads), arguments,
                         kShared, static_cast<cudaStream_t>(queue)),
        "cudaLaunchKernel");
#else
  static_cast<HostQueue*>(queue)->run([kernel, blocks] { run_on_host(kernel, blocks); });
#endif
}

}  // namespace vecframe::backends::cuda
