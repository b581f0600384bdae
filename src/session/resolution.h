// Which provider and model a call goes to: what it says, else the session's, else the
// environment's, else the default.
#pragma once

#include <vecframe/expression.h>
#include <vecframe/provider.h>

#include <memory>
#include <optional>
#include <string>

#include "session/provider_table.h"

namespace vecframe::session {

struct Resolution {
  std::shared_ptr<const Provider> provider;  ///< never null
  std::optional<std::string> model;          ///< nothing: the provider's default
};

/// The one of that name: attached, or else one that the library knows; null when there is none.
std::shared_ptr<const Provider> find_provider(const ProviderTable& table, const std::string& name);

/// Both throw RequestError for an unknown name.
Resolution resolve(const ProviderTable& table, const EmbedOptions& options);
std::shared_ptr<const Provider> resolve_provider(const ProviderTable& table,
                                                 const std::optional<std::string>& name);

}  // namespace vecframe::session
