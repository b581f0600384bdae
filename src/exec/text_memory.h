// How a run over texts divides its memory limit, decided before the first text is read.
#pragma once

#include <cstdint>
#include <functional>

namespace vecframe::exec {

struct TextMemoryRequest {
  std::int64_t memory_limit = 0;
  int threads = 0;
  bool threads_may_fall = false;  ///< to what fits
  std::int64_t batch_size = 0;    ///< 0: chosen
  std::int64_t dimension = 0;     ///< of the embedder; 0: nothing is embedded
  std::function<std::int64_t(std::int64_t)> lane_bytes;  ///< of a batch size
  std::int64_t sink_bytes = 0;
};

struct TextMemoryPlan {
  int threads = 0;
  std::int64_t batch_size = 0;  ///< texts a chunk
  std::int64_t chunks = 0;      ///< in flight at most
  std::int64_t fixed_bytes = 0;
};

/// A chunk is closed when its texts reach this size.
inline constexpr std::int64_t kChunkTextBytes = std::int64_t{256} << 10;
inline constexpr std::int64_t kMaximumTextBatch = 64;

/// Throws RequestError when the limit is too small, which names the least that works.
TextMemoryPlan plan_text_memory(const TextMemoryRequest& request);

}  // namespace vecframe::exec
