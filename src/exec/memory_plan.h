// How a run divides its memory limit, decided before the first byte is read.
//
// Fixed parts are reserved at once: lanes and packed batches, the window of rows in flight, names,
// and what the sink holds back. The rest is room for files and pictures, which take and
// return it row by row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

#include "exec/stages.h"

namespace vecframe::exec {

/// What a run asks for.
struct MemoryRequest {
  std::int64_t memory_limit = 0;
  int threads = 0;                  ///< wanted
  bool threads_may_fall = false;    ///< fewer are used where that many lanes do not fit
  Stages stages;                    ///< what is said of them does not fall
  std::int64_t batch_size = 0;      ///< 0: chosen
  std::int64_t largest_batch = 16;  ///< of those to choose from
  std::int64_t dimension = 0;
  std::size_t slot_bytes = 0;                            ///< 0: nothing is embedded
  std::function<std::int64_t(std::int64_t)> lane_bytes;  ///< of a batch size
  std::int64_t sink_bytes = 0;
};

struct MemoryPlan {
  Concurrency concurrency;
  std::int64_t batch_size = 0;
  std::int64_t num_batches = 0;  ///< packed batches
  std::int64_t window_rows = 0;
  std::int64_t name_bytes = 0;
  std::int64_t kept_vector_bytes = 0;  ///< of pictures that may come again
  std::int64_t fixed_bytes = 0;
  std::int64_t room_bytes = 0;     ///< memory_limit - fixed_bytes
  std::int64_t encoded_bytes = 0;  ///< the part of the room that encoded files may fill together
};

/// Room that is left for pictures at the least.
inline constexpr std::int64_t kMinimumRoom = std::int64_t{1} << 20;

/// Throws RequestError when the limit is too small, which names the least that works.
MemoryPlan plan_memory(const MemoryRequest& request);

/// The least limit for `threads` threads and batches of `batch_size`.
std::int64_t least_memory(const MemoryRequest& request, int threads, std::int64_t batch_size);

}  // namespace vecframe::exec
