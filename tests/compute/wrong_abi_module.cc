// A shared object of another version, for the loader to refuse.
#include "compute/backend_module.h"

namespace {

class Module final : public vecframe::compute::BackendModule {
 public:
  int abi() const override { return vecframe::compute::kBackendAbi + 1; }
  int score() const override { return 1; }
  int count_devices(std::string&) const override { return 1; }
  std::shared_ptr<vecframe::compute::Backend> make(int) const override { return nullptr; }
};

}  // namespace

extern "C" __attribute__((visibility("default"))) const vecframe::compute::BackendModule*
vecframe_backend_module() {
  static const Module module;
  return &module;
}
