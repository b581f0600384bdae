// What a program uses when a call does not say: providers by name, the provider and the model.
//
// A call takes the provider that it names; else the session's current one; else the one that
// $VECFRAME_PROVIDER names; else "transformers". A name is looked up among the session's providers,
// then among those this library knows: "transformers", "builtin" and "openai".
#pragma once

#include <vecframe/export.h>
#include <vecframe/provider.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vecframe {

namespace session {
class ProviderTable;
}

/// Copies are the same session. Thread-safe.
class VECFRAME_API Session {
 public:
  /// A new one, without providers but those this library knows.
  Session();
  /// That of the innermost SessionScope of this thread, else the one of the process.
  static Session current();

  /// Under its own name or another; the first one becomes the current provider. Throws RequestError
  /// if the name is taken.
  void attach_provider(std::shared_ptr<const Provider> provider,
                       const std::optional<std::string>& alias = {});
  /// Throws RequestError if no provider of that name is attached.
  void detach_provider(const std::string& name);
  bool has_provider(const std::string& name) const;
  /// Throws RequestError if no provider of that name is attached.
  std::shared_ptr<const Provider> get_provider(const std::string& name) const;
  /// Makes it current. One that this library knows is made with these options, and attached;
  /// nullopt clears. The model is that of later calls which name none and go to this provider.
  /// Throws RequestError for an unknown name or option.
  void set_provider(const std::optional<std::string>& name, const OptionValues& options = {},
                    const std::optional<std::string>& model = {});
  /// Attaches it under its own name and makes it current.
  void set_provider(std::shared_ptr<const Provider> provider,
                    const std::optional<std::string>& model = {});
  /// Null if there is none.
  std::shared_ptr<const Provider> current_provider() const;
  /// The one that a call with this argument goes to. Throws RequestError for an unknown name.
  std::shared_ptr<const Provider> resolve_provider(const std::optional<std::string>& name) const;
  std::optional<std::string> model() const;
  /// Forgets all providers.
  void clear();

  /// For the library's own use.
  const std::shared_ptr<session::ProviderTable>& table() const { return table_; }

 private:
  explicit Session(std::shared_ptr<session::ProviderTable> table);
  friend class SessionScope;
  std::shared_ptr<session::ProviderTable> table_;
};

/// While it lives, the session is the current one of this thread.
class VECFRAME_API SessionScope {
 public:
  explicit SessionScope(const Session& session);
  ~SessionScope();
  SessionScope(const SessionScope&) = delete;
  SessionScope& operator=(const SessionScope&) = delete;
};

// Of the current session.
VECFRAME_API void set_provider(const std::optional<std::string>& provider,
                               const std::optional<std::string>& model = {});
VECFRAME_API void set_provider(std::shared_ptr<const Provider> provider);
VECFRAME_API void attach_provider(std::shared_ptr<const Provider> provider,
                                  const std::optional<std::string>& alias = {});
VECFRAME_API void detach_provider(const std::string& name);
/// The name of the current provider, if there is one.
VECFRAME_API std::optional<std::string> current_provider();

}  // namespace vecframe
