// Threads and their wiring.
//
//   listing -> NameQueue -> readers -> WorkQueue -> workers -> ReorderWindow -> caller -> sink
//
// No mix of sizes can stop this. Let E be the capacity of EncodedShare and R >= E the room that the
// fixed parts leave of the budget.
//  - Whoever holds decoding credit gets no more before giving it back, and waits for nobody
//    meanwhile: reserve_slot() does not wait. So decoding credit always comes back.
//  - Nor does decoding wait for embedding, but for a slot: WorkQueue hands out a row only with one,
//    whatever the number of workers that may prepare or embed at a time, and a lane is free when a
//    batch is handed out. Whoever embeds holds no credit.
//  - A worker that waits for decoding credit holds one row's encoded bytes. If that row was let in
//    with others, its need is at most R - E, and encoded files hold at most E: once those that
//    decode are done, it fits. If it was let in alone, nothing else is encoded, and bytes + need
//    was found to be at most R. Files that are being read ask for credit inside their hold of E,
//    so they are served once the decoders are done. The budget serves in order: nobody starves.
//  - A reader that waits for EncodedShare waits for rows in the WorkQueue, which workers take
//    without needing anything of a reader; one that waits to be let in alone likewise.
//  - A reader that waits for the window waits for the oldest row. That row is with a reader that is
//    already inside the window, queued, with a worker, or in a batch; a batch that is not full
//    leaves when a worker is idle. The caller takes finished rows at once. If that row is a copy of
//    a picture that is on its way, it waits for a row of which the same can be said, and which
//    waits for no other.
//  - Without order, the caller takes finished rows at once but for those that the sink does not
//    accept yet. It accepts the oldest that has not left, and rows enter the window one after the
//    other, so that one is in the window or enters it next: the same can be said of it.

#include "exec/pipeline.h"

#include <vecframe/error.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "base/byte_budget.h"
#include "base/core_share.h"
#include "base/large_blocks.h"
#include "exec/batch_sizer.h"
#include "exec/departures.h"
#include "exec/embed_batch.h"
#include "exec/encoded_share.h"
#include "exec/lane_pool.h"
#include "exec/memory_plan.h"
#include "exec/name_queue.h"
#include "exec/prepare_row.h"
#include "exec/processors.h"
#include "exec/reorder_window.h"
#include "exec/row_consumer.h"
#include "exec/row_reader.h"
#include "exec/row_results.h"
#include "exec/stage_clock.h"
#include "exec/work_queue.h"

namespace vecframe::exec {
namespace {

// How soon a raised CancellationToken is seen, at the latest.
constexpr std::chrono::milliseconds kTick{50};

MemoryRequest request_of(const std::optional<EmbedStage>& embed, std::int64_t sink_bytes) {
  MemoryRequest request;
  request.sink_bytes = sink_bytes;
  request.threads = 1;
  if (!embed) return request;
  request.dimension = embed->dimension;
  request.slot_bytes = embed->prepare.slot_bytes();
  request.largest_batch = embed->embedder->efficient_batch();
  request.lane_bytes = [embedder = embed->embedder](std::int64_t batch) {
    return embedder->lane_bytes(batch);
  };
  return request;
}

MemoryPlan plan_of(const std::optional<EmbedStage>& embed, std::int64_t sink_bytes,
                   const PipelineOptions& options) {
  check_options(options, embed ? embed->dimension : 0);
  MemoryRequest request = request_of(embed, sink_bytes);
  request.memory_limit = options.memory_limit;
  request.batch_size = options.batch_size;
  request.threads = options.threads == 0 ? usable_processors() : options.threads;
  request.threads_may_fall = options.threads == 0;
  request.stages = options.stages;
  return plan_memory(request);
}

class Pipeline {
 public:
  Pipeline(storage::Listing& listing, const std::optional<EmbedStage>& embed,
           const PipelineOptions& options, const MemoryPlan& plan)
      : listing_(listing),
        embed_(embed),
        options_(options),
        plan_(plan),
        budget_(options.memory_limit),
        fixed_(budget_.try_acquire(plan.fixed_bytes)),
        share_(plan.encoded_bytes),
        names_(plan.name_bytes),
        window_(plan.window_rows, embed ? options.vector.kept(embed->dimension) : 0,
                options.ordered),
        reader_({plan.room_bytes, options.decode_limits, options.apply_orientation,
                 options.fast_decode, embed ? std::optional(embed->prepare) : std::nullopt},
                share_, budget_, counters_, stopping_),
        results_({embed ? embed->dimension : 0, options.vector, options.deduplicate, options.cache,
                  plan.kept_vector_bytes},
                 window_, counters_),
        sizer_(plan.batch_size, /*measured=*/options.batch_size == 0),
        cores_(share_processors(plan.concurrency.workers)),
        work_(plan.concurrency, plan.num_batches, plan.batch_size,
              embed ? embed->prepare.slot_bytes() : 0, sizer_) {
    if (embed)
      lanes_.emplace(embed->embedder, plan.concurrency.lanes, plan.batch_size * embed->dimension);
  }

  ~Pipeline() {
    stop();
    for (std::thread& thread : threads_) thread.join();
  }

  void start() {
    const Concurrency& wanted = plan_.concurrency;
    num_reading_ = wanted.readers;
    try {
      launch([this] { list(); });
      for (int i = 0; i < wanted.readers; ++i) launch([this] { read_rows(); });
      if (embed_) {
        for (int i = 0; i < wanted.workers; ++i) {
          launch([this] {
            work();
            cores_->leave();
          });
        }
      }
    } catch (const std::system_error& error) {
      throw RunError("cannot start " + std::to_string(wanted.readers + wanted.workers) +
                     " threads: " + std::string(error.what()));
    }
  }

  ReorderWindow& window() { return window_; }
  Counters& counters() { return counters_; }
  NameQueue::Progress listed() const { return names_.progress(); }
  std::int64_t peak_bytes() const { return budget_.peak(); }

  /// Throws what ended a thread, if one has ended so.
  void rethrow_failure() {
    std::lock_guard lock(failure_mutex_);
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  template <class Body>
  void launch(Body body) {
    threads_.emplace_back([this, body] {
      try {
        body();
      } catch (...) {
        {
          std::lock_guard lock(failure_mutex_);
          if (!failure_) failure_ = std::current_exception();
        }
        window_.wake();
      }
    });
  }

  void stop() {
    stopping_.cancel();
    names_.stop();
    share_.stop();
    window_.stop();
    work_.stop();
  }

  void list() {
    std::int64_t count = 0;
    while (!options_.limit || count < *options_.limit) {
      std::optional<std::string> path = listing_.next();
      if (!path) break;
      if (!names_.push(std::move(*path))) return;
      ++count;
    }
    names_.finish();
    window_.wake();
  }

  void read_rows() {
    std::vector<float> vector;
    while (std::optional<NamedRow> name = next_name()) {
      const std::optional<std::int64_t> row = open_row(std::move(*name));
      if (!row) return;
      Result<EncodedRow> encoded = reader_.read(*row, window_.facts(*row));
      if (stopping_.cancelled()) return;
      ++counters_.rows_read;
      if (!encoded) {
        results_.finish_failed(*row, std::move(encoded).error());
      } else if (!embed_) {
        window_.finish(*row);
      } else if (!results_.is_known(*row, encoded->bytes, vector)) {
        work_.push(std::move(encoded).value());
      }
    }
    if (--num_reading_ == 0) work_.close();
  }

  std::optional<NamedRow> next_name() {
    const StageClock::Scope waiting(counters_.read_wait);
    return names_.pop();
  }

  std::optional<std::int64_t> open_row(NamedRow name) {
    const StageClock::Scope waiting(counters_.read_wait);
    return window_.open(name.row, std::move(name.path));
  }

  void work() {
    for (;;) {
      Task task = next_task();
      if (auto* row = std::get_if<EncodedRow>(&task)) {
        prepare(std::move(*row));
      } else if (const auto* batch = std::get_if<EmbedTask>(&task)) {
        embed(*batch);
      } else {
        return;
      }
    }
  }

  Task next_task() {
    const StageClock::Scope waiting(counters_.embed_wait);
    return work_.next();
  }

  Credit decoding_credit(const EncodedRow& encoded) {
    const StageClock::Scope waiting(counters_.prepare_wait);
    return budget_.acquire(reader_.working_bytes_of(encoded), stopping_);
  }

  void prepare(EncodedRow encoded) {
    const std::int64_t row = encoded.row;
    // This worker holds no other decoding credit: see the top of this file.
    Credit credit = decoding_credit(encoded);
    if (!credit) return;
    const StageClock::Scope scope(counters_.prepare);
    const Slot slot = work_.reserve_slot();
    const Status status = prepare_row(encoded.bytes, encoded.info, embed_->prepare,
                                      options_.apply_orientation, slot.pixels);
    encoded.free_bytes();
    credit.release();
    if (status) {
      ++counters_.rows_prepared;
      work_.commit_slot(slot, row);
    } else {
      results_.finish_failed(row, status.error());
      work_.abandon_slot(slot);
    }
  }

  void embed(const EmbedTask& task) {
    {
      LanePool::Use lane = lanes_->take();
      embed_rows(task, *lane);
    }
    // The lane is back before another worker may want it.
    if (!stopping_.cancelled()) work_.finish_embed(task);
  }

  void embed_rows(const EmbedTask& task, LanePool::Lane& lane) {
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < task.count; ++i) rows.push_back(task.batch->row(task.first + i));
    float* const out = lane.out.data();
    lane.embedder->share_cores(cores_);
    counters_.retries += embed_batch(
        task.count, sizer_,
        [&](std::int64_t first, std::int64_t count) {
          const StageClock::Scope scope(counters_.embed);
          lane.embedder->embed(task.batch->pixels(task.first + first), count,
                               out + first * embed_->dimension);
          if (lane.warm && cores_->each() == 1) sizer_.note(count, scope.seconds());
          lane.warm = true;
        },
        [&](std::int64_t index, RowError error) {
          window_.facts(rows[static_cast<std::size_t>(index)]).error = std::move(error);
        },
        [&] { return !stopping_.cancelled(); });
    if (stopping_.cancelled()) return;
    counters_.note_batch(sizer_);
    counters_.rows_embedded += task.count;
    const auto dimension = static_cast<std::size_t>(embed_->dimension);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      RowFacts& facts = window_.facts(rows[i]);
      if (facts.error) {
        results_.finish_failed(rows[i], std::move(*facts.error));
      } else {
        results_.finish_embedded(rows[i], {out + i * dimension, dimension});
      }
    }
  }

  storage::Listing& listing_;
  const std::optional<EmbedStage>& embed_;
  const PipelineOptions& options_;
  const MemoryPlan plan_;
  CancellationToken stopping_;
  Counters counters_;
  ByteBudget budget_;
  Credit fixed_;
  EncodedShare share_;
  NameQueue names_;
  ReorderWindow window_;
  const RowReader reader_;
  RowResults results_;
  BatchSizer sizer_;
  std::optional<LanePool> lanes_;
  const std::shared_ptr<CoreShare> cores_;  // of the workers
  WorkQueue work_;                          // its rows hold parts of share_ and budget_
  std::atomic<int> num_reading_{0};
  std::mutex failure_mutex_;
  std::exception_ptr failure_;  // guarded by failure_mutex_
  std::vector<std::thread> threads_;
};

void consume(Pipeline& pipeline, Departures& departures, const CancellationToken& cancellation,
             RowConsumer& consumer) {
  for (;;) {
    pipeline.rethrow_failure();
    if (cancellation.cancelled()) throw Cancelled();
    const NameQueue::Progress listed = pipeline.listed();
    const bool finished = listed.done && pipeline.window().num_popped() == listed.listed;
    if (!finished) departures.let_one_leave(kTick);
    if (finished || consumer.report_is_due())
      consumer.report(listed.listed, listed.done, pipeline.peak_bytes());
    if (finished) return;
  }
}

}  // namespace

std::int64_t minimum_memory(const EmbedStage& stage, std::int64_t sink_bytes) {
  return least_memory(request_of(stage, sink_bytes), /*threads=*/1, /*batch_size=*/1);
}

Statistics run(storage::Listing& listing, const std::optional<EmbedStage>& embed, RowSink& sink,
               const PipelineOptions& options, const CancellationToken& cancellation,
               const ProgressCallback& progress, const FailureCallback& failure) {
  const MemoryPlan plan = plan_of(embed, sink.max_buffered_bytes(), options);
  map_large_blocks();
  Pipeline pipeline(listing, embed, options, plan);
  RowConsumer consumer(sink, options, pipeline.counters(), progress, failure);
  consumer.statistics().batch_size = embed ? plan.batch_size : 0;
  consumer.statistics().threads = plan.concurrency.workers;
  consumer.statistics().concurrency = plan.concurrency;
  Departures departures(pipeline.window(), {embed.has_value(), options.ordered}, sink, consumer,
                        pipeline.counters());
  pipeline.start();
  consume(pipeline, departures, cancellation, consumer);
  consumer.check_error_rate();
  return consumer.statistics();
}

}  // namespace vecframe::exec
