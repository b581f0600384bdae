// The one symbol of the shared object.
#include <string>

#include "backends/cuda/cuda_backend.h"
#include "backends/cuda/runtime.h"
#include "compute/backend_module.h"

namespace vecframe::backends::cuda {
namespace {

class CudaModule final : public compute::BackendModule {
 public:
  int abi() const override { return compute::kBackendAbi; }
  int score() const override { return 1000; }
  int count_devices(std::string& problem) const override { return cuda::count_devices(problem); }
  std::shared_ptr<compute::Backend> make(int ordinal) const override {
    return make_cuda_backend(ordinal);
  }
};

}  // namespace
}  // namespace vecframe::backends::cuda

extern "C" __attribute__((visibility("default"))) const vecframe::compute::BackendModule*
vecframe_backend_module() {
  static const vecframe::backends::cuda::CudaModule module;
  return &module;
}
