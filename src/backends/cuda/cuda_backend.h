// The CUDA backend: a device, products by cuBLASLt, everything else by the kernels of this folder.
#pragma once

#include <memory>

#include "backends/cuda/cuda_stream.h"
#include "compute/backend.h"

namespace vecframe::backends::cuda {

/// Throws RequestError if there is no such device.
std::shared_ptr<compute::Backend> make_cuda_backend(int ordinal, StreamOptions options = {});

}  // namespace vecframe::backends::cuda
