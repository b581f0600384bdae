#include "session/download_progress.h"

#include <chrono>
#include <optional>

namespace vecframe::session {

std::function<void(const providers::HubProgress&)> throttled_progress(
    const std::string& model, const DownloadOptions& download) {
  using Clock = std::chrono::steady_clock;
  if (!download.on_progress) return {};
  struct Times {
    std::optional<Clock::time_point> first;
    Clock::time_point last;
  };
  return [model, &download, times = Times()](const providers::HubProgress& now) mutable {
    const Clock::time_point time = Clock::now();
    const bool ended = now.done == now.total;
    if (times.first && !ended && time - times.last < std::chrono::milliseconds(100)) return;
    if (!times.first) times.first = time;
    times.last = time;
    download.on_progress({model, now.file, now.done, now.total, now.received,
                          std::chrono::duration<double>(time - *times.first).count()});
  };
}

}  // namespace vecframe::session
