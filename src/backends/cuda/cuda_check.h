#pragma once

#include <cuda_runtime_api.h>

#include <stdexcept>
#include <string>

namespace vecframe::backends::cuda {

/// Throws std::runtime_error that names the call.
inline void check(cudaError_t error, const char* call) {
  if (error == cudaSuccess) return;
  throw std::runtime_error(std::string("cuda: ") + call + ": " + cudaGetErrorString(error));
}

}  // namespace vecframe::backends::cuda
