// How many rows of one download may be read at a time.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

#include "base/cancellation.h"
#include "base/result.h"

namespace vecframe::exec {

/// Shared by the workers of a map. Thread-safe.
class ConnectionLimits {
 public:
  /// Calls `read` when fewer than `most` calls for the same `key` go on. Gives up, without calling
  /// it, once `stopping` is cancelled, which is seen within 50 ms.
  template <class Value>
  Result<Value> within(const void* key, std::int64_t most, const CancellationToken& stopping,
                       const std::function<Result<Value>()>& read) {
    if (!enter(key, most, stopping)) return RowError{Stage::kRead, ErrorCode::kIoError, "stopped"};
    struct Leave {
      ConnectionLimits& limits;
      const void* key;
      ~Leave() { limits.leave(key); }
    } const leave{*this, key};
    return read();
  }

  /// How many wait in within() to call `read`.
  std::int64_t waiting() {
    std::lock_guard lock(mutex_);
    return waiting_;
  }

 private:
  bool enter(const void* key, std::int64_t most, const CancellationToken& stopping);
  void leave(const void* key);

  std::mutex mutex_;
  std::condition_variable left_;
  std::map<const void*, std::int64_t> going_on_;  // guarded by mutex_
  std::int64_t waiting_ = 0;                      // guarded by mutex_
};

}  // namespace vecframe::exec
