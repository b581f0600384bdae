#pragma once

#include <cuda_runtime_api.h>

#include <stdexcept>
#include <string>

#include "compute/out_of_memory.h"

namespace vecframe::backends::cuda {

/// Throws compute::OutOfMemory, or std::runtime_error that names the call. The runtime forgets the
/// error, unless it is one that no later call recovers from.
inline void check(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return;
  cudaGetLastError();
  if (error == cudaErrorMemoryAllocation) throw compute::OutOfMemory(std::string("cuda: ") + call);
  throw std::runtime_error(std::string("cuda: ") + call + ": " + cudaGetErrorString(error));
}

}  // namespace vecframe::backends::cuda
