#include "exec/text_memory.h"

#include <vecframe/error.h>

#include <string>

#include "storage/text_source.h"

namespace vecframe::exec {
namespace {

// Labels, errors and the objects around a text.
constexpr std::int64_t kRowBytes = 512;

// Chunks that workers fill while the oldest is waited for.
std::int64_t chunks_of(int threads) { return 2 * std::int64_t{threads} + 1; }

std::int64_t needed_bytes(const TextMemoryRequest& request, int threads, std::int64_t batch) {
  // The text that closes a chunk may be of the largest size.
  const std::int64_t texts =
      kChunkTextBytes + static_cast<std::int64_t>(storage::kMaxTextBytes) + batch * kRowBytes;
  const std::int64_t vectors = batch * request.dimension * std::int64_t{sizeof(float)};
  const std::int64_t lane = request.lane_bytes ? request.lane_bytes(batch) : 0;
  return request.sink_bytes + chunks_of(threads) * (texts + vectors) + threads * lane;
}

}  // namespace

TextMemoryPlan plan_text_memory(const TextMemoryRequest& request) {
  const auto fits = [&](int threads, std::int64_t batch) {
    return needed_bytes(request, threads, batch) <= request.memory_limit;
  };
  const auto largest_batch = [&](int threads) {
    if (request.batch_size != 0)
      return fits(threads, request.batch_size) ? request.batch_size : std::int64_t{0};
    std::int64_t batch = kMaximumTextBatch;
    while (batch > 0 && !fits(threads, batch)) batch /= 2;
    return batch;
  };
  TextMemoryPlan plan;
  plan.threads = request.threads;
  plan.batch_size = largest_batch(plan.threads);
  while (plan.batch_size == 0 && request.threads_may_fall && plan.threads > 1)
    plan.batch_size = largest_batch(--plan.threads);
  if (plan.batch_size == 0) {
    throw RequestError("memory_limit=" + std::to_string(request.memory_limit) +
                       " is too small: this model needs at least " +
                       std::to_string(needed_bytes(request, 1, 1)) +
                       " bytes with threads=1 and batch_size=1");
  }
  plan.chunks = chunks_of(plan.threads);
  plan.fixed_bytes = needed_bytes(request, plan.threads, plan.batch_size);
  return plan;
}

}  // namespace vecframe::exec
