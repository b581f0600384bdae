// Threads and their wiring.
//
//   listing -> NameQueue -> readers -> WorkQueue -> workers -> ReorderWindow -> caller -> sink
//
// No mix of sizes can stop this. Let E be the capacity of EncodedShare and R >= E the room that the
// fixed parts leave of the budget.
//  - Whoever holds decoding credit gets no more before giving it back, and waits for nobody
//    meanwhile: reserve_slot() does not wait. So decoding credit always comes back.
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
#include "base/fingerprint.h"
#include "base/large_blocks.h"
#include "exec/duplicates.h"
#include "exec/embed_batch.h"
#include "exec/encoded_share.h"
#include "exec/memory_plan.h"
#include "exec/name_queue.h"
#include "exec/prepare_row.h"
#include "exec/processors.h"
#include "exec/reorder_window.h"
#include "exec/row_consumer.h"
#include "exec/stage_clock.h"
#include "exec/work_queue.h"
#include "image/orientation.h"
#include "storage/local_file.h"

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
        window_(plan.window_rows, embed ? options.vector.kept(embed->dimension) : 0),
        duplicates_(embed ? embed->dimension : 0, plan.kept_vector_bytes),
        work_(embed ? plan.threads : 0, plan.batch_size, embed ? embed->prepare.slot_bytes() : 0) {}

  ~Pipeline() {
    stop();
    for (std::thread& thread : threads_) thread.join();
  }

  void start() {
    const int num_readers = std::clamp(plan_.threads, 2, 4);
    num_reading_ = num_readers;
    try {
      launch([this] { list(); });
      for (int i = 0; i < num_readers; ++i) launch([this] { read_rows(); });
      if (embed_) {
        for (int i = 0; i < plan_.threads; ++i) launch([this] { work(); });
      }
    } catch (const std::system_error& error) {
      throw RunError("cannot start " + std::to_string(plan_.threads) +
                     " threads: " + std::string(error.what()));
    }
  }

  ReorderWindow& window() { return window_; }
  bool wait_front() {
    const StageClock::Scope waiting(counters_.write_wait);
    return window_.wait_front(kTick);
  }
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

  void finish_failed(std::int64_t row, RowError error) {
    RowFacts& facts = window_.facts(row);
    if (facts.content) {
      for (const std::int64_t copy : duplicates_.fail(*facts.content)) {
        window_.facts(copy).error = error;
        window_.finish(copy);
      }
    }
    facts.error = std::move(error);
    window_.finish(row);
  }

  // `vector` is the embedder's; `fresh`: it has just been made.
  void finish_embedded(std::int64_t row, std::span<const float> vector, bool fresh) {
    RowFacts& facts = window_.facts(row);
    std::optional<RowError> error = keep_vector(vector, options_.vector, window_.vector(row));
    if (error) return finish_failed(row, std::move(*error));
    if (fresh && options_.cache != nullptr) options_.cache->store(*facts.content, vector);
    if (facts.content) {
      for (const std::int64_t copy : duplicates_.finish(*facts.content, vector)) {
        const std::span<const float> kept = window_.vector(row);
        std::copy(kept.begin(), kept.end(), window_.vector(copy).begin());
        window_.finish(copy);
      }
    }
    window_.finish(row);
  }

  // Whether the row needs no embedding: its vector is known, or that of a copy is on its way.
  bool is_known(std::int64_t row, const EncodedRow& encoded, std::vector<float>& vector) {
    if (!options_.deduplicate && options_.cache == nullptr) return false;
    const Hash128 content = hash_of(encoded.bytes);
    vector.resize(static_cast<std::size_t>(embed_->dimension));
    switch (duplicates_.enter(content, row, vector)) {
      case Duplicates::Outcome::kFollows:
        ++counters_.duplicates;
        return true;
      case Duplicates::Outcome::kKnown:
        ++counters_.duplicates;
        finish_embedded(row, vector, /*fresh=*/false);
        return true;
      case Duplicates::Outcome::kFirst:
        break;
    }
    window_.facts(row).content = content;
    if (options_.cache == nullptr || !options_.cache->find(content, vector)) return false;
    ++counters_.cache_hits;
    finish_embedded(row, vector, /*fresh=*/false);
    return true;
  }

  void read_rows() {
    std::vector<float> vector;
    while (std::optional<NamedRow> name = next_name()) {
      const std::int64_t row = name->row;
      if (!open_row(row, std::move(name->path))) return;
      Result<EncodedRow> encoded = read_row(row);
      if (stopping_.cancelled()) return;
      ++counters_.rows_read;
      if (!encoded) {
        finish_failed(row, std::move(encoded).error());
      } else if (!embed_) {
        window_.finish(row);
      } else if (!is_known(row, *encoded, vector)) {
        work_.push(std::move(encoded).value());
      }
    }
    if (--num_reading_ == 0) work_.close();
  }

  std::optional<NamedRow> next_name() {
    const StageClock::Scope waiting(counters_.read_wait);
    return names_.pop();
  }

  bool open_row(std::int64_t row, std::string path) {
    const StageClock::Scope waiting(counters_.read_wait);
    return window_.open(row, std::move(path));
  }

  /// Reads and probes; the row's facts are set if its header could be read. What is returned once
  /// the run stops means nothing.
  Result<EncodedRow> read_row(std::int64_t row) {
    const Result<std::int64_t> size = storage::file_size(window_.facts(row).path);
    if (!size) return size.error();
    if (*size <= share_.capacity()) {
      Result<EncodedRow> encoded = fetch(row, *size, /*alone=*/false);
      if (!encoded || working_bytes_of(*encoded) <= plan_.room_bytes - share_.capacity()) {
        return encoded;
      }
      // Its picture needs what the others' files may fill. It goes back and is read again when
      // those are gone.
    }
    return fetch(row, *size, /*alone=*/true);
  }

  Result<EncodedRow> fetch(std::int64_t row, std::int64_t size, bool alone) {
    if (size > plan_.room_bytes) return over_budget(Stage::kRead, "the file", size);
    EncodedRow encoded;
    encoded.row = row;
    {
      const StageClock::Scope waiting(counters_.read_wait);
      encoded.hold = alone ? share_.take_alone(size) : share_.take(size);
      if (encoded.hold) encoded.credit = budget_.acquire(size, stopping_);
    }
    if (!encoded.credit) return RowError{Stage::kRead, ErrorCode::kIoError, "stopped"};

    RowFacts& facts = window_.facts(row);
    const StageClock::Scope scope(counters_.read);
    Result<std::vector<std::byte>> bytes = storage::read_file(facts.path, size);
    if (!bytes) return std::move(bytes).error();
    encoded.bytes = std::move(bytes).value();
    counters_.bytes_read += static_cast<std::int64_t>(encoded.bytes.size());

    const Result<image::ImageInfo> info = image::probe(encoded.bytes, options_.decode_limits);
    if (!info) return info.error();
    encoded.info = *info;
    const image::Size upright = options_.apply_orientation
                                    ? image::oriented_size(info->size, info->orientation)
                                    : info->size;
    facts.width = upright.width;
    facts.height = upright.height;
    facts.format = info->format;
    const std::int64_t needed = size + working_bytes_of(encoded);
    if (needed > plan_.room_bytes) return over_budget(Stage::kDecode, "this picture", needed);
    return encoded;
  }

  std::int64_t working_bytes_of(const EncodedRow& encoded) const {
    if (!embed_) return 0;
    return working_bytes(encoded.info, embed_->prepare, options_.apply_orientation);
  }

  RowError over_budget(Stage stage, const std::string& what, std::int64_t needed) const {
    return RowError{stage, ErrorCode::kOverBudget,
                    what + " needs " + std::to_string(needed) + " bytes, memory_limit leaves " +
                        std::to_string(plan_.room_bytes)};
  }

  void work() {
    const std::unique_ptr<embed::EmbedLane> lane = embed_->embedder->make_lane();
    std::vector<float> out(static_cast<std::size_t>(plan_.batch_size * embed_->dimension));
    for (;;) {
      Task task = next_task();
      if (auto* row = std::get_if<EncodedRow>(&task)) {
        prepare(std::move(*row));
      } else if (const auto* batch = std::get_if<EmbedTask>(&task)) {
        embed(*batch, *lane, out.data());
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
    return budget_.acquire(working_bytes_of(encoded), stopping_);
  }

  void prepare(EncodedRow encoded) {
    const std::int64_t row = encoded.row;
    // This worker holds no other decoding credit: see the top of this file.
    Credit credit = decoding_credit(encoded);
    if (!credit) return;
    const StageClock::Scope scope(counters_.prepare);
    Result<image::Image> rgb = decode_rgb(encoded.bytes, encoded.info, options_.apply_orientation);
    encoded.free_bytes();
    if (!rgb) {
      finish_failed(row, std::move(rgb).error());
      work_.abandon_row();
      return;
    }
    const Slot slot = work_.reserve_slot();
    const Status status = image::prepare(embed_->prepare, *rgb, slot.pixels);
    *rgb = image::Image();
    credit.release();
    ++counters_.rows_prepared;
    if (status) {
      work_.commit_slot(slot, row);
    } else {
      finish_failed(row, status.error());
      work_.abandon_slot(slot);
    }
  }

  void embed(const EmbedTask& task, embed::EmbedLane& lane, float* out) {
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < task.count; ++i) rows.push_back(task.batch->row(task.first + i));
    std::int64_t calls = 0;
    {
      const StageClock::Scope scope(counters_.embed);
      lane.use_threads(task.is_last ? plan_.threads : 1);
      embed_batch(
          task.count,
          [&](std::int64_t first, std::int64_t count) {
            ++calls;
            lane.embed(task.batch->pixels(task.first + first), count,
                       out + first * embed_->dimension);
          },
          [&](std::int64_t index, RowError error) {
            window_.facts(rows[static_cast<std::size_t>(index)]).error = std::move(error);
          },
          [&] { return !stopping_.cancelled(); });
    }
    if (stopping_.cancelled()) return;
    work_.finish_embed(task);
    ++counters_.batches;
    counters_.retries += calls - 1;
    counters_.rows_embedded += task.count;
    const auto dimension = static_cast<std::size_t>(embed_->dimension);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::span<const float> vector(out + i * dimension, dimension);
      RowFacts& facts = window_.facts(rows[i]);
      if (facts.error) {
        finish_failed(rows[i], std::move(*facts.error));
      } else {
        finish_embedded(rows[i], vector, /*fresh=*/true);
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
  Duplicates duplicates_;
  WorkQueue work_;  // its rows hold parts of share_ and budget_
  std::atomic<int> num_reading_{0};
  std::mutex failure_mutex_;
  std::exception_ptr failure_;  // guarded by failure_mutex_
  std::vector<std::thread> threads_;
};

void take_front(ReorderWindow& window, bool has_vectors, RowConsumer& consumer) {
  RowFacts& facts = window.facts(window.front());
  Row row;
  row.path = std::move(facts.path);
  row.error = std::move(facts.error);
  row.width = facts.width;
  row.height = facts.height;
  row.format = facts.format;
  if (has_vectors && !row.error) row.embedding = window.vector(window.front());
  consumer.take(row);
  window.pop();
}

void consume(Pipeline& pipeline, bool has_vectors, const CancellationToken& cancellation,
             RowConsumer& consumer) {
  ReorderWindow& window = pipeline.window();
  for (;;) {
    pipeline.rethrow_failure();
    if (cancellation.cancelled()) throw Cancelled();
    const NameQueue::Progress listed = pipeline.listed();
    const bool finished = listed.done && window.front() == listed.listed;
    if (!finished && pipeline.wait_front()) take_front(window, has_vectors, consumer);
    if (finished || consumer.report_is_due())
      consumer.report(listed.listed, listed.done, pipeline.peak_bytes());
    if (finished) return;
  }
}

}  // namespace

void check_options(const PipelineOptions& options, std::int64_t dimension) {
  if (options.threads < 0) {
    throw RequestError("threads=" + std::to_string(options.threads) +
                       " is negative; give 0 for one a processor");
  }
  if (options.batch_size < 0) {
    throw RequestError("batch_size=" + std::to_string(options.batch_size) +
                       " is negative; give 0 to have it chosen");
  }
  if (options.limit && *options.limit < 0) {
    throw RequestError("limit=" + std::to_string(*options.limit) +
                       " is negative; give a number of rows");
  }
  if (options.vector.dimensions && dimension > 0 &&
      (*options.vector.dimensions < 1 || *options.vector.dimensions > dimension)) {
    throw RequestError("dimensions=" + std::to_string(*options.vector.dimensions) +
                       " is out of range; the vectors have " + std::to_string(dimension));
  }
}

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
  consumer.statistics().threads = plan.threads;
  pipeline.start();
  consume(pipeline, embed.has_value(), cancellation, consumer);
  consumer.check_error_rate();
  return consumer.statistics();
}

}  // namespace vecframe::exec
