// The backends this process has, by name. The session registers them explicitly; nothing registers
// itself.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "compute/backend.h"
#include "compute/backend_module.h"

namespace vecframe::compute {

struct BackendEntry {
  std::string name;
  /// How good a choice it is here; 0 means it cannot run on this machine. "auto" takes the highest.
  int score = 0;
  std::function<std::shared_ptr<Backend>()> make;
};

/// A backend of devices in a shared object, which is opened when it is asked for by name, or by
/// "auto" where there may be a device.
struct ModuleEntry {
  std::string name;
  std::string path;
  /// Whether "auto" should look: cheap, and without opening the object.
  std::function<bool()> may_have_device;
};

class Registry {
 public:
  /// A later entry of the same name replaces the earlier one.
  void add(BackendEntry entry);
  void add_module(ModuleEntry entry);
  const std::vector<BackendEntry>& entries() const { return entries_; }

  /// By name, or "auto" for the best. Of a module NAME is the first of its devices, NAME:N the one
  /// numbered N. Throws RequestError that lists what there is.
  std::shared_ptr<Backend> open(std::string_view device) const;
  /// The same, one backend for each replica of a model: of a module NAME means all of its devices,
  /// NAME:N or NAME:N,M,... those numbered so.
  std::vector<std::shared_ptr<Backend>> open_replicas(std::string_view device) const;

 private:
  struct Chosen {
    std::function<std::shared_ptr<Backend>(int)> make;
    std::vector<int> ordinals;
  };
  Chosen choose(std::string_view device) const;
  Chosen choose_best() const;
  Chosen choose_of(const ModuleEntry& entry, std::string_view device) const;
  [[noreturn]] void refuse(std::string_view device, const std::string& problem) const;

  std::vector<BackendEntry> entries_;
  std::vector<ModuleEntry> modules_;
};

}  // namespace vecframe::compute
