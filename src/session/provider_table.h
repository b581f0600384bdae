// The providers of one session, by name, and which of them is the current one.
#pragma once

#include <vecframe/provider.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace vecframe::session {

/// Thread-safe. Throws RequestError as the public Session does.
class ProviderTable {
 public:
  void attach(std::shared_ptr<const Provider> provider, const std::optional<std::string>& alias);
  void detach(const std::string& name);
  void clear();
  /// Null if there is none of that name.
  std::shared_ptr<const Provider> find(const std::string& name) const;
  std::shared_ptr<const Provider> get(const std::string& name) const;
  void choose(const std::optional<std::string>& name, const OptionValues& options,
              const std::optional<std::string>& model);
  void choose(std::shared_ptr<const Provider> provider, const std::optional<std::string>& model);

  struct Choice {
    std::shared_ptr<const Provider> provider;  ///< null: none
    std::optional<std::string> name;           ///< in this table
    std::optional<std::string> model;
  };
  Choice choice() const;

 private:
  struct Entry {
    std::shared_ptr<const Provider> provider;
    bool made_here = false;  ///< by choose(), which may make it again
  };
  // With mutex_ held.
  void add(const std::string& name, Entry entry);
  [[noreturn]] void refuse(const std::string& name) const;

  mutable std::mutex mutex_;
  std::map<std::string, Entry> entries_;  // guarded by mutex_, as all that follow
  std::optional<std::string> chosen_;
  std::optional<std::string> model_;
};

}  // namespace vecframe::session
