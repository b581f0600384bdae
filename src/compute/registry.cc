#include "compute/registry.h"

#include <vecframe/error.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <optional>

namespace vecframe::compute {
namespace {

template <class Entry>
void replace_or_add(std::vector<Entry>& entries, Entry entry) {
  for (Entry& known : entries) {
    if (known.name == entry.name) {
      known = std::move(entry);
      return;
    }
  }
  entries.push_back(std::move(entry));
}

// "0,2" as numbers; nothing if that is not what it is.
std::optional<std::vector<int>> parse_ordinals(std::string_view text) {
  std::vector<int> ordinals;
  while (true) {
    const std::size_t comma = std::min(text.find(','), text.size());
    int ordinal = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + comma, ordinal);
    if (error != std::errc() || end != text.data() + comma || ordinal < 0) return std::nullopt;
    // One replica a device.
    if (std::find(ordinals.begin(), ordinals.end(), ordinal) != ordinals.end()) return std::nullopt;
    ordinals.push_back(ordinal);
    if (comma == text.size()) return ordinals;
    text.remove_prefix(comma + 1);
  }
}

// Null with the reason if there is no such shared object here, or no device.
const BackendModule* open_with_devices(const ModuleEntry& entry, int& count, std::string& problem) {
  std::error_code ignored;
  count = 0;
  if (!std::filesystem::exists(entry.path, ignored)) {
    problem = "this build has no " + entry.name + " backend (" + entry.path + " is not there)";
    return nullptr;
  }
  const BackendModule* module = open_backend_module(entry.path, problem);
  if (module == nullptr) return nullptr;
  count = module->count_devices(problem);
  return count > 0 ? module : nullptr;
}

}  // namespace

void Registry::add(BackendEntry entry) { replace_or_add(entries_, std::move(entry)); }
void Registry::add_module(ModuleEntry entry) { replace_or_add(modules_, std::move(entry)); }

std::shared_ptr<Backend> Registry::open(std::string_view device) const {
  const Chosen chosen = choose(device);
  return chosen.make(chosen.ordinals.front());
}

std::vector<std::shared_ptr<Backend>> Registry::open_replicas(std::string_view device) const {
  const Chosen chosen = choose(device);
  std::vector<std::shared_ptr<Backend>> backends;
  for (const int ordinal : chosen.ordinals) backends.push_back(chosen.make(ordinal));
  return backends;
}

Registry::Chosen Registry::choose(std::string_view device) const {
  if (device == "auto") return choose_best();
  for (const ModuleEntry& module : modules_) {
    if (device.starts_with(module.name) &&
        (device.size() == module.name.size() || device[module.name.size()] == ':'))
      return choose_of(module, device);
  }
  for (const BackendEntry& entry : entries_) {
    if (entry.name == device && entry.score > 0)
      return {[make = entry.make](int) { return make(); }, {0}};
  }
  refuse(device, "");
}

Registry::Chosen Registry::choose_best() const {
  int best = 0;
  Chosen chosen;
  for (const BackendEntry& entry : entries_) {
    if (entry.score <= best) continue;
    best = entry.score;
    chosen = {[make = entry.make](int) { return make(); }, {0}};
  }
  for (const ModuleEntry& entry : modules_) {
    if (!entry.may_have_device()) continue;
    int count = 0;
    std::string problem;  // told when the device is asked for by name
    const BackendModule* module = open_with_devices(entry, count, problem);
    if (module == nullptr || module->score() <= best) continue;
    best = module->score();
    chosen = {[module](int ordinal) { return module->make(ordinal); },
              std::vector<int>(static_cast<std::size_t>(count))};
    std::iota(chosen.ordinals.begin(), chosen.ordinals.end(), 0);
  }
  if (best == 0) refuse("auto", "");
  return chosen;
}

Registry::Chosen Registry::choose_of(const ModuleEntry& entry, std::string_view device) const {
  std::vector<int> ordinals;
  if (device.size() > entry.name.size()) {
    const auto parsed = parse_ordinals(device.substr(entry.name.size() + 1));
    if (!parsed)
      throw RequestError("device: '" + std::string(device) + "' is not understood; give " +
                         entry.name + ", " + entry.name + ":1 or " + entry.name + ":0,2");
    ordinals = *parsed;
  }
  int count = 0;
  std::string problem;
  const BackendModule* module = open_with_devices(entry, count, problem);
  if (module == nullptr) refuse(device, problem);
  if (ordinals.empty()) {
    ordinals.resize(static_cast<std::size_t>(count));
    std::iota(ordinals.begin(), ordinals.end(), 0);
  }
  for (const int ordinal : ordinals) {
    if (ordinal < count) continue;
    std::string found = std::to_string(count) + (count == 1 ? " device was" : " devices were") +
                        " found: " + module->make(0)->info().details;
    for (int i = 1; i < count; ++i) found += "; " + module->make(i)->info().details;
    refuse(device, found);
  }
  return {[module](int ordinal) { return module->make(ordinal); }, std::move(ordinals)};
}

void Registry::refuse(std::string_view device, const std::string& problem) const {
  std::string names = "auto";
  for (const BackendEntry& entry : entries_)
    if (entry.score > 0) names += ", " + entry.name;
  if (problem.empty())
    for (const ModuleEntry& module : modules_) names += ", " + module.name;
  throw RequestError("device: '" + std::string(device) + "' is not available here" +
                     (problem.empty() ? "" : " (" + problem + ")") + "; use one of: " + names);
}

}  // namespace vecframe::compute
