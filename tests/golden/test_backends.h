// The backends that a test of models runs on.
#pragma once

#include <string>
#include <vector>

#include "backends/cuda/cuda_backend.h"
#include "backends/reference/reference_backend.h"
#include "compute/registry.h"
#include "cuda_module.h"
#if VECFRAME_TEST_CPU_BACKEND
#include "backends/cpu/cpu_backend.h"
#endif

namespace vecframe::golden {

/// cuda-host: the GPU's kernels as loops on the host. cuda: a GPU, where there is one.
inline std::vector<std::string> backend_names() {
  std::vector<std::string> names{"reference", "cuda-host"};
#if VECFRAME_TEST_CPU_BACKEND
  names.emplace_back("cpu");
#endif
  std::string problem;
  const compute::BackendModule* cuda = compute::open_backend_module(VECFRAME_CUDA_MODULE, problem);
  if (cuda != nullptr && cuda->count_devices(problem) > 0) names.emplace_back("cuda");
  return names;
}

inline compute::Registry test_backends() {
  compute::Registry registry;
  registry.add({"reference", 1, [] { return backends::reference::make_reference_backend(); }});
#if VECFRAME_TEST_CPU_BACKEND
  registry.add({"cpu", 100, [] { return backends::cpu::make_cpu_backend(); }});
#endif
  registry.add_module({"cuda", VECFRAME_CUDA_MODULE, [] { return false; }});
  registry.add({"cuda-host", 2, [] { return backends::cuda::make_cuda_backend(0); }});
  return registry;
}

/// Of a test's parameter: a name that gtest takes.
inline std::string test_name(std::string name) {
  for (char& c : name)
    if (c == '-') c = '_';
  return name;
}

}  // namespace vecframe::golden
