#include <vecframe/run.h>

#include "base/cancellation.h"

namespace vecframe {

StopSource::StopSource() : state_(std::make_shared<CancellationToken>()) {}
void StopSource::request() noexcept { static_cast<CancellationToken*>(state_.get())->cancel(); }
bool StopSource::requested() const noexcept {
  return static_cast<CancellationToken*>(state_.get())->cancelled();
}

}  // namespace vecframe
