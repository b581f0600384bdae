// A model of the hub in the local cache, downloaded if it is not there yet.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "providers/http/http_client.h"
#include "providers/http/hub_cache.h"
#include "providers/http/hub_error.h"
#include "providers/http/hub_files.h"
#include "providers/http/hub_settings.h"
#include "providers/http/retry.h"

namespace vecframe::providers {

/// What is downloaded just now. Comes on the calling thread, as often as data do.
struct HubProgress {
  std::string file;
  std::int64_t done = 0;   ///< bytes of all files that are in the cache by now
  std::int64_t total = 0;  ///< bytes of all files of the model; grows once when an index is read
};

struct HubOptions {
  HttpOptions http;
  RetryPolicy retry;
  bool with_tokenizer = false;  ///< a cached snapshot without one is not enough
  std::function<void(const HubProgress&)> progress;
  const CancellationToken* cancellation = nullptr;
};

/// What the hub says of a revision.
struct HubRevision {
  std::string commit;
  std::vector<std::string> files;
};
/// Reads the answer of /api/models/{id}/revision/{revision}. Throws HubError.
HubRevision parse_revision(const std::string& json);

/// The snapshot of `id`, from the cache without asking the hub if it is complete there, otherwise
/// downloaded. A revision that the cache knows stays at its commit until its ref is removed. Where
/// the hub cannot be asked, an incomplete snapshot that has a configuration is returned as it is.
/// Throws HubError, Cancelled.
HubSnapshot fetch_snapshot(const HubId& id, const HubSettings& settings, const HubOptions& options);

}  // namespace vecframe::providers
