// The backends that a test of models runs on.
#pragma once

#include <string>
#include <vector>

#include "backends/reference/reference_backend.h"
#include "compute/registry.h"
#if VECFRAME_TEST_CPU_BACKEND
#include "backends/cpu/cpu_backend.h"
#endif

namespace vecframe::golden {

inline std::vector<std::string> backend_names() {
#if VECFRAME_TEST_CPU_BACKEND
  return {"reference", "cpu"};
#else
  return {"reference"};
#endif
}

inline compute::Registry test_backends() {
  compute::Registry registry;
  registry.add({"reference", 1, [] { return backends::reference::make_reference_backend(); }});
#if VECFRAME_TEST_CPU_BACKEND
  registry.add({"cpu", 100, [] { return backends::cpu::make_cpu_backend(); }});
#endif
  return registry;
}

}  // namespace vecframe::golden
