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

/// Throws RequestError for an unknown name.
Resolution resolve(const ProviderTable& table, const EmbedOptions& options);
std::shared_ptr<const Provider> resolve_provider(const ProviderTable& table,
                                                 const std::optional<std::string>& name);

}  // namespace vecframe::session
