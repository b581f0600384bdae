#include "compute/backend_module.h"

#include <dlfcn.h>

namespace vecframe::compute {

const BackendModule* open_backend_module(const std::string& path, std::string& problem) {
  problem.clear();
  void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    problem = dlerror();
    return nullptr;
  }
  using Entry = const BackendModule* (*)();
  const auto entry = reinterpret_cast<Entry>(dlsym(handle, kBackendModuleSymbol));
  const BackendModule* module = entry == nullptr ? nullptr : entry();
  if (module == nullptr || module->abi() != kBackendAbi) {
    problem = path + " belongs to another version of vecframe";
    return nullptr;
  }
  return module;
}

}  // namespace vecframe::compute
