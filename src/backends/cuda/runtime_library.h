#pragma once

#include <cublasLt.h>

#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "backends/cuda/runtime.h"

namespace vecframe::backends::cuda {

/// The library's handle on a device, and the kernels it chose so far.
struct Runtime::Library {
  using Shape = std::vector<std::int64_t>;  // everything that a choice depends on

  ~Library();

  std::mutex mutex;
  cublasLtHandle_t handle = nullptr;                            // made at the first product
  std::map<Shape, std::optional<cublasLtMatmulAlgo_t>> chosen;  // guarded by mutex
};

}  // namespace vecframe::backends::cuda
