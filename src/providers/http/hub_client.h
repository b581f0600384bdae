// A model of the hub in the local cache, downloaded if it is not there yet.
#pragma once

#include <optional>

#include "providers/http/hub_cache.h"
#include "providers/http/hub_repository.h"

namespace vecframe::providers {

/// The snapshot of `id`, from the cache without asking the hub if it is complete there, otherwise
/// downloaded. A revision that the cache knows stays at its commit until its ref is removed. Where
/// the hub cannot be asked, an incomplete snapshot that has a configuration is returned as it is.
/// Throws HubError, Cancelled.
HubSnapshot fetch_snapshot(const HubId& id, const HubSettings& settings, const HubOptions& options);

}  // namespace vecframe::providers
