#include "compute/registry.h"

#include <vecframe/error.h>

#include <algorithm>

namespace vecframe::compute {

void Registry::add(BackendEntry entry) {
  for (BackendEntry& known : entries_) {
    if (known.name == entry.name) {
      known = std::move(entry);
      return;
    }
  }
  entries_.push_back(std::move(entry));
}

std::shared_ptr<Backend> Registry::open(std::string_view name) const {
  const BackendEntry* chosen = nullptr;
  std::string names;
  for (const BackendEntry& entry : entries_) {
    if (entry.score <= 0) continue;
    names += (names.empty() ? "" : ", ") + entry.name;
    if (name == "auto" ? chosen == nullptr || entry.score > chosen->score : entry.name == name)
      chosen = &entry;
  }
  if (chosen == nullptr) {
    throw RequestError("device: '" + std::string(name) +
                       "' is not available here; use one of: auto, " + names);
  }
  return chosen->make();
}

}  // namespace vecframe::compute
