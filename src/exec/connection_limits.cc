#include "exec/connection_limits.h"

#include <chrono>

namespace vecframe::exec {

bool ConnectionLimits::enter(const void* key, std::int64_t most,
                             const CancellationToken& stopping) {
  std::unique_lock lock(mutex_);
  std::int64_t& count = going_on_[key];
  ++waiting_;
  while (count >= most && !stopping.cancelled())
    left_.wait_for(lock, std::chrono::milliseconds(50));
  --waiting_;
  if (count >= most) return false;
  ++count;
  return true;
}

void ConnectionLimits::leave(const void* key) {
  const std::lock_guard lock(mutex_);
  --going_on_[key];
  left_.notify_all();
}

}  // namespace vecframe::exec
