#include "session/resolution.h"

#include <vecframe/error.h>

#include <cstdlib>

#include "session/known_providers.h"
#include "session/local_models.h"

namespace vecframe::session {
namespace {

constexpr const char* kDefaultProvider = "transformers";

std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string(value);
}

std::shared_ptr<const Provider> provider_of(const ProviderTable& table, const std::string& name) {
  std::shared_ptr<const Provider> provider = find_provider(table, name);
  if (provider == nullptr) refuse_provider(name);
  return provider;
}

}  // namespace

std::shared_ptr<const Provider> find_provider(const ProviderTable& table, const std::string& name) {
  if (auto attached = table.find(name)) return attached;
  const KnownProvider* known = find_known(name);
  return known == nullptr ? nullptr : known->make({});
}

Resolution resolve(const ProviderTable& table, const EmbedOptions& options) {
  if (options.provider && options.provider_instance)
    throw RequestError("provider: both a name, '" + *options.provider +
                       "', and an instance; give one of them");
  const ProviderTable::Choice session = table.choice();
  const std::optional<std::string> named = environment("VECFRAME_PROVIDER");
  Resolution resolution;
  if (options.provider_instance) {
    resolution.provider = options.provider_instance;
  } else if (options.provider) {
    resolution.provider = provider_of(table, *options.provider);
  } else if (session.provider) {
    resolution.provider = session.provider;
  } else {
    resolution.provider = provider_of(table, named.value_or(kDefaultProvider));
  }
  // The models of one provider mean nothing to another.
  const Provider& provider = *resolution.provider;
  const bool explicitly = options.provider || options.provider_instance;
  const bool of_session = !explicitly || session.provider == resolution.provider;
  const bool of_environment = as_local(provider) != nullptr || (named && provider.name() == *named);
  resolution.model = options.model;
  if (!resolution.model && of_session) resolution.model = session.model;
  if (!resolution.model && of_environment) resolution.model = environment("VECFRAME_MODEL");
  return resolution;
}

std::shared_ptr<const Provider> resolve_provider(const ProviderTable& table,
                                                 const std::optional<std::string>& name) {
  EmbedOptions options;
  options.provider = name;
  return resolve(table, options).provider;
}

}  // namespace vecframe::session
