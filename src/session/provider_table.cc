#include "session/provider_table.h"

#include <vecframe/error.h>
#include <vecframe/suggest.h>

#include <utility>
#include <vector>

#include "session/known_providers.h"
#include "session/provider_options.h"

namespace vecframe::session {

void ProviderTable::add(const std::string& name, Entry entry) {
  if (name.empty()) throw RequestError("provider: its name is empty; give it one");
  // The words before the semicolon are those of the reference.
  if (entries_.contains(name))
    throw RequestError("Provider with name " + name +
                       " already exists!; detach it first, or give this one an alias");
  entries_.emplace(name, std::move(entry));
}

void ProviderTable::refuse(const std::string& name) const {
  std::vector<std::string> names;
  for (const auto& entry : entries_) names.push_back(entry.first);
  const std::string nearest = nearest_name(name, names);
  throw RequestError("Provider with name " + name + " not found!" +
                     (nearest.empty() ? "" : " Did you mean '" + nearest + "'?"));
}

void ProviderTable::attach(std::shared_ptr<const Provider> provider,
                           const std::optional<std::string>& alias) {
  if (provider == nullptr) throw RequestError("provider: it is null; give one");
  const std::string name = alias.value_or(provider->name());
  std::lock_guard lock(mutex_);
  add(name, {std::move(provider), false});
  if (!chosen_) chosen_ = name;
}

void ProviderTable::detach(const std::string& name) {
  Entry gone;  // goes without the lock
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end()) refuse(name);
  gone = std::move(found->second);
  entries_.erase(found);
  if (chosen_ != name) return;
  chosen_.reset();
  model_.reset();
}

void ProviderTable::clear() {
  std::map<std::string, Entry> entries;  // providers go without the lock
  std::lock_guard lock(mutex_);
  entries.swap(entries_);
  chosen_.reset();
  model_.reset();
}

std::shared_ptr<const Provider> ProviderTable::find(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.provider;
}

std::shared_ptr<const Provider> ProviderTable::get(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(name);
  if (found == entries_.end()) refuse(name);
  return found->second.provider;
}

void ProviderTable::choose(const std::optional<std::string>& name, const OptionValues& options,
                           const std::optional<std::string>& model) {
  if (!name) {
    if (!options.empty())
      throw RequestError("set_provider: '" + options.begin()->first +
                         "' is an option of a provider, but none is named");
    std::lock_guard lock(mutex_);
    chosen_.reset();
    model_ = model;
    return;
  }
  const KnownProvider* known = find_known(*name);
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(*name);
  const bool attached = found != entries_.end();
  if (attached && !found->second.made_here) {
    if (!options.empty())
      throw RequestError("set_provider: Cannot pass options to '" + *name +
                         "', which is attached; give them to the provider itself");
  } else if (!attached || !options.empty()) {
    if (known == nullptr) refuse_provider(*name);
    check_options("set_provider", *name, known->options(), options);
    Entry made{known->make(options), true};
    entries_.insert_or_assign(*name, std::move(made));
  }
  chosen_ = name;
  model_ = model;
}

void ProviderTable::choose(std::shared_ptr<const Provider> provider,
                           const std::optional<std::string>& model) {
  if (provider == nullptr) throw RequestError("provider: it is null; give one");
  const std::string name = provider->name();
  std::lock_guard lock(mutex_);
  add(name, {std::move(provider), false});
  chosen_ = name;
  model_ = model;
}

ProviderTable::Choice ProviderTable::choice() const {
  std::lock_guard lock(mutex_);
  Choice choice{nullptr, chosen_, model_};
  if (chosen_) choice.provider = entries_.at(*chosen_).provider;
  return choice;
}

}  // namespace vecframe::session
