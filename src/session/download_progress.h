// From the hub client's reports, which come with every packet, to those a user gets.
#pragma once

#include <vecframe/download.h>

#include <functional>
#include <string>

#include "providers/http/hub_repository.h"

namespace vecframe::session {

/// Calls download.on_progress about ten times a second, and once at the end. Empty if nobody
/// listens. `download` outlives the function.
std::function<void(const providers::HubProgress&)> throttled_progress(
    const std::string& model, const DownloadOptions& download);

}  // namespace vecframe::session
