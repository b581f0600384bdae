#include "exec/memory_plan.h"

#include <vecframe/error.h>

#include <algorithm>
#include <string>

#include "exec/duplicates.h"

namespace vecframe::exec {
namespace {

// A row in the window: the longest path Linux takes, a message, and the rest of RowFacts.
constexpr std::int64_t kRowBytes = 4096 + 512;
constexpr std::int64_t kMinimumNameBytes = std::int64_t{64} << 10;
constexpr std::int64_t kMaximumNameBytes = std::int64_t{8} << 20;
constexpr std::int64_t kMinimumWindow = 8;

std::int64_t window_row_bytes(const MemoryRequest& request) {
  return kRowBytes + request.dimension * static_cast<std::int64_t>(sizeof(float));
}

std::int64_t minimum_window(const MemoryRequest& request, std::int64_t batch_size) {
  return std::max(kMinimumWindow, request.slot_bytes == 0 ? 0 : 2 * batch_size);
}

// Beside the batches that are embedded: for each lane one that is ready when it is done, and one
// that is being filled; and a slot for each decoder. One for each worker is always enough.
std::int64_t batches_of(const Concurrency& concurrency, std::int64_t batch_size) {
  const std::int64_t to_fill = (concurrency.decoders + batch_size - 1) / batch_size;
  return std::min<std::int64_t>(
      concurrency.workers,
      concurrency.lanes + std::max<std::int64_t>(concurrency.lanes + 1, to_fill));
}

// Lanes, their output, and packed batches.
std::int64_t worker_bytes(const MemoryRequest& request, int threads, std::int64_t batch_size) {
  if (request.slot_bytes == 0) return 0;
  const Concurrency concurrency = concurrency_of(request.stages, threads);
  const std::int64_t vectors =
      batch_size * request.dimension * static_cast<std::int64_t>(sizeof(float));
  return concurrency.lanes * (request.lane_bytes(batch_size) + vectors) +
         batches_of(concurrency, batch_size) * batch_size *
             static_cast<std::int64_t>(request.slot_bytes);
}

std::int64_t least_fixed(const MemoryRequest& request, int threads, std::int64_t batch_size) {
  return request.sink_bytes + kMinimumNameBytes +
         minimum_window(request, batch_size) * window_row_bytes(request) +
         worker_bytes(request, threads, batch_size);
}

// The largest batch whose fixed parts leave half of the limit to the pictures, or at least
// something; 0 if none does.
std::int64_t choose_batch(const MemoryRequest& request, int threads) {
  for (std::int64_t batch = request.largest_batch; batch > 1; --batch) {
    if (least_fixed(request, threads, batch) <= request.memory_limit / 2 &&
        least_memory(request, threads, batch) <= request.memory_limit) {
      return batch;
    }
  }
  return least_memory(request, threads, 1) <= request.memory_limit ? 1 : 0;
}

[[noreturn]] void refuse(const MemoryRequest& request, int threads, std::int64_t batch_size) {
  const int lanes = concurrency_of(request.stages, threads).lanes;
  std::string message = "memory_limit=" + std::to_string(request.memory_limit) +
                        " is too small: this model needs at least " +
                        std::to_string(least_memory(request, threads, batch_size)) +
                        " bytes with " + std::to_string(threads) +
                        (threads == 1 ? " thread" : " threads") +
                        (lanes > threads ? ", embed=" + std::to_string(lanes) : "") +
                        " and batch_size=" + std::to_string(batch_size);
  MemoryRequest smallest = request;
  smallest.stages = {};
  if (threads > 1 || batch_size > 1 || lanes > 1) {
    message += ", " + std::to_string(least_memory(smallest, 1, 1)) +
               " with threads=1 and batch_size=1" + (lanes > threads ? " and embed=1" : "");
  }
  throw RequestError(message);
}

}  // namespace

std::int64_t least_memory(const MemoryRequest& request, int threads, std::int64_t batch_size) {
  return least_fixed(request, threads, batch_size) + kMinimumRoom;
}

MemoryPlan plan_memory(const MemoryRequest& request) {
  MemoryPlan plan;
  int threads = request.threads;
  const auto batch_for = [&](int count) {
    if (request.batch_size == 0) return choose_batch(request, count);
    return least_memory(request, count, request.batch_size) <= request.memory_limit
               ? request.batch_size
               : 0;
  };
  plan.batch_size = batch_for(threads);
  while (plan.batch_size == 0 && request.threads_may_fall && threads > 1) {
    plan.batch_size = batch_for(--threads);
  }
  if (plan.batch_size == 0) {
    refuse(request, threads, std::max<std::int64_t>(1, request.batch_size));
  }
  plan.concurrency = concurrency_of(request.stages, threads);
  if (request.slot_bytes > 0) plan.num_batches = batches_of(plan.concurrency, plan.batch_size);

  // What the window and the names get beyond their least is a sixteenth of what is free: enough for
  // readers to be well ahead, little against pictures.
  const std::int64_t least = least_fixed(request, threads, plan.batch_size);
  const std::int64_t spare = (request.memory_limit - least - kMinimumRoom) / 16;
  plan.name_bytes = std::clamp(spare, kMinimumNameBytes, kMaximumNameBytes);
  if (plan.name_bytes - kMinimumNameBytes > spare) plan.name_bytes = kMinimumNameBytes;
  const std::int64_t least_window = minimum_window(request, plan.batch_size);
  const std::int64_t wanted_window =
      std::max<std::int64_t>({least_window, 4 * plan.batch_size * plan.concurrency.lanes,
                              4 * std::int64_t{plan.concurrency.readers}});
  plan.window_rows = std::min(wanted_window, least_window + spare / window_row_bytes(request));

  if (request.slot_bytes > 0)
    plan.kept_vector_bytes = std::clamp<std::int64_t>(spare, 0, Duplicates::kMaximumBytes);

  plan.fixed_bytes = least + (plan.name_bytes - kMinimumNameBytes) + plan.kept_vector_bytes +
                     (plan.window_rows - least_window) * window_row_bytes(request);
  plan.room_bytes = request.memory_limit - plan.fixed_bytes;
  plan.encoded_bytes = plan.room_bytes / 4;
  return plan;
}

}  // namespace vecframe::exec
