// The backends this process has, by name. The session registers them explicitly; nothing registers
// itself.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compute/backend.h"

namespace vecframe::compute {

/// Version of everything in backend.h and types.h; a shared object made for another one is refused.
inline constexpr int kBackendAbi = 1;

struct BackendEntry {
  std::string name;
  /// How good a choice it is here; 0 means it cannot run on this machine. "auto" takes the highest.
  int score = 0;
  std::function<std::shared_ptr<Backend>()> make;
};

class Registry {
 public:
  /// A later entry of the same name replaces the earlier one.
  void add(BackendEntry entry);
  const std::vector<BackendEntry>& entries() const { return entries_; }
  /// By name, or "auto" for the best. Throws RequestError that lists what there is.
  std::shared_ptr<Backend> open(std::string_view name) const;

 private:
  std::vector<BackendEntry> entries_;
};

}  // namespace vecframe::compute
