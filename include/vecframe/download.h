// How a call that names a model of the hub shows and ends its download.
#pragma once

#include <vecframe/run.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace vecframe {

/// A snapshot of a download that goes on.
struct DownloadProgress {
  std::string model;
  std::string file;           ///< that comes just now
  std::int64_t bytes = 0;     ///< of all files of the model that are here by now
  std::int64_t total = 0;     ///< of all files; grows once where the weights are in several
  std::int64_t received = 0;  ///< those that came in this call; earlier ones are not fetched again
  double seconds = 0;         ///< since the first report
};

struct DownloadOptions {
  /// On the calling thread, about ten times a second while data come. What it throws ends the call.
  std::function<void(const DownloadProgress&)> on_progress;
  /// The call throws Cancelled; what has come so far is kept for the next attempt.
  std::optional<StopSource> stop;
};

}  // namespace vecframe
