// Starts a kernel: on the GPU, or as loops on the host.
#pragma once

#include <type_traits>

#include "backends/cuda/kernels/block.h"
#include "backends/cuda/runtime.h"
#ifdef __CUDACC__
#include <cuda_runtime_api.h>

#include <stdexcept>
#include <string>
#else
#include "backends/cuda/emulated/host_queue.h"
#endif

namespace vecframe::backends::cuda {

template <class Kernel>
void start(QueueHandle queue, const Kernel& kernel, std::int64_t blocks) {
  if (blocks == 0) return;
#ifdef __CUDACC__
  constexpr std::size_t kShared =
      std::is_empty_v<typename Kernel::Shared> ? 0 : sizeof(typename Kernel::Shared);
  static_assert(kShared <= 48 * 1024, "more needs to be asked for");
  run_kernel<Kernel><<<static_cast<unsigned>(blocks), Kernel::kThreads, kShared,
                       static_cast<cudaStream_t>(queue)>>>(kernel);
  const cudaError_t error = cudaGetLastError();
  if (error != cudaSuccess)
    throw std::runtime_error(std::string("cuda: a kernel did not start: ") +
                             cudaGetErrorString(error));
#else
  static_cast<HostQueue*>(queue)->run([kernel, blocks] { run_on_host(kernel, blocks); });
#endif
}

}  // namespace vecframe::backends::cuda
