// The public sessions: handles of tables of providers, and the current one of each thread.

#include <vecframe/session.h>

#include <utility>
#include <vector>

#include "session/provider_table.h"
#include "session/resolution.h"

namespace vecframe {
namespace {

using Table = std::shared_ptr<session::ProviderTable>;

const Table& process_table() {
  static const Table table = std::make_shared<session::ProviderTable>();
  return table;
}

// Innermost last.
std::vector<Table>& scopes_of_thread() {
  thread_local std::vector<Table> scopes;
  return scopes;
}

}  // namespace

Session::Session() : table_(std::make_shared<session::ProviderTable>()) {}
Session::Session(Table table) : table_(std::move(table)) {}

Session Session::current() {
  const std::vector<Table>& scopes = scopes_of_thread();
  return Session(scopes.empty() ? process_table() : scopes.back());
}

void Session::attach_provider(std::shared_ptr<const Provider> provider,
                              const std::optional<std::string>& alias) {
  table_->attach(std::move(provider), alias);
}
void Session::detach_provider(const std::string& name) { table_->detach(name); }
bool Session::has_provider(const std::string& name) const { return table_->find(name) != nullptr; }
std::shared_ptr<const Provider> Session::get_provider(const std::string& name) const {
  return table_->get(name);
}
void Session::set_provider(const std::optional<std::string>& name, const OptionValues& options,
                           const std::optional<std::string>& model) {
  table_->choose(name, options, model);
}
void Session::set_provider(std::shared_ptr<const Provider> provider,
                           const std::optional<std::string>& model) {
  table_->choose(std::move(provider), model);
}
std::shared_ptr<const Provider> Session::current_provider() const {
  return table_->choice().provider;
}
std::shared_ptr<const Provider> Session::resolve_provider(
    const std::optional<std::string>& name) const {
  return session::resolve_provider(*table_, name);
}
void Session::clear() { table_->clear(); }
std::optional<std::string> Session::model() const { return table_->choice().model; }

SessionScope::SessionScope(const Session& session) {
  scopes_of_thread().push_back(session.table());
}
SessionScope::~SessionScope() { scopes_of_thread().pop_back(); }

void set_provider(const std::optional<std::string>& provider,
                  const std::optional<std::string>& model) {
  Session::current().set_provider(provider, {}, model);
}
void set_provider(std::shared_ptr<const Provider> provider) {
  Session::current().set_provider(std::move(provider));
}
void attach_provider(std::shared_ptr<const Provider> provider,
                     const std::optional<std::string>& alias) {
  Session::current().attach_provider(std::move(provider), alias);
}
void detach_provider(const std::string& name) { Session::current().detach_provider(name); }
std::optional<std::string> current_provider() { return Session::current().table()->choice().name; }

}  // namespace vecframe
