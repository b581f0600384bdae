// A model of the hub without its weights: what can be said of it before anything large is fetched.
#pragma once

#include <memory>
#include <string>

#include "providers/http/hub_repository.h"
#include "providers/http/temporary_directory.h"

namespace vecframe::providers {

/// Configuration, processor and model card, and for each file of weights one of the same name and
/// length that holds the header alone; its data are a hole that reads as zeros.
struct HubHeaders {
  std::shared_ptr<const TemporaryDirectory> directory;
  std::string commit;
};

/// Asks the hub for the small files and, by Range requests, for the first bytes of the weights. A
/// server that ignores ranges is not listened to beyond them. The cache is neither read nor
/// written. Throws HubError, Cancelled.
HubHeaders fetch_headers(const HubId& id, const HubSettings& settings, const HubOptions& options);

}  // namespace vecframe::providers
