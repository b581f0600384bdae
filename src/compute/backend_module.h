// A backend in a shared object of its own, opened when it is asked for: its libraries and its
// driver need not be on the machine.
#pragma once

#include <memory>
#include <string>

#include "compute/backend.h"

namespace vecframe::compute {

/// What the shared object exports, as `const BackendModule* f()`.
inline constexpr const char* kBackendModuleSymbol = "vecframe_backend_module";

class BackendModule {
 public:
  virtual ~BackendModule() = default;
  /// kBackendAbi of when it was built; asked before anything else, so it stays the first.
  virtual int abi() const = 0;
  /// As BackendEntry's, where there is a device.
  virtual int score() const = 0;
  /// Devices that this process may use, numbered from 0; 0 with the reason in `problem`.
  virtual int count_devices(std::string& problem) const = 0;
  virtual std::shared_ptr<Backend> make(int ordinal) const = 0;
};

/// Opens the shared object and keeps it. Null with one line in `problem` if it cannot be opened or
/// belongs to another version.
const BackendModule* open_backend_module(const std::string& path, std::string& problem);

}  // namespace vecframe::compute
