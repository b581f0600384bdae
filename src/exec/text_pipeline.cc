#include "exec/text_pipeline.h"

#include <vecframe/error.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/core_share.h"
#include "exec/embed_batch.h"
#include "exec/processors.h"
#include "exec/row_consumer.h"
#include "exec/stage_clock.h"
#include "exec/text_memory.h"

namespace vecframe::exec {
namespace {

// How soon a stop is seen, and how long a worker waits for a slow source before it goes on with
// what it has.
constexpr std::chrono::milliseconds kTick{50};

TextMemoryPlan plan_of(const std::optional<TextStage>& embed, std::int64_t sink_bytes,
                       const PipelineOptions& options) {
  check_options(options, embed ? embed->dimension : 0);
  TextMemoryRequest request;
  request.memory_limit = options.memory_limit;
  request.sink_bytes = sink_bytes;
  request.threads = 1;
  if (embed) {
    // Each worker has a lane; reading lines takes none beside them.
    const int threads = options.threads == 0 ? usable_processors() : options.threads;
    request.threads = options.stages.embed.value_or(threads);
    request.threads_may_fall = options.threads == 0 && !options.stages.embed;
    request.batch_size = options.batch_size;
    request.dimension = embed->dimension;
    request.lane_bytes = [embedder = embed->embedder](std::int64_t batch) {
      return embedder->lane_bytes(batch);
    };
  }
  return plan_text_memory(request);
}

// Neighbouring rows. Belongs to one worker until it is finished, then to the consumer.
struct Chunk {
  std::vector<storage::TextRow> rows;
  std::vector<float> vectors;  // (rows, kept dimension)
  bool finished = false;       // guarded by TextPipeline::mutex_
};

class TextPipeline {
 public:
  TextPipeline(storage::TextSource& source, const std::optional<TextStage>& embed,
               const PipelineOptions& options, const TextMemoryPlan& plan)
      : source_(source),
        embed_(embed),
        options_(options),
        plan_(plan),
        dimension_(embed ? options.vector.kept(embed->dimension) : 0),
        cores_(share_processors(plan.threads)),
        sizer_(plan.batch_size, /*measured=*/false),
        chunks_(static_cast<std::size_t>(plan.chunks)) {}

  ~TextPipeline() {
    stop();
    for (std::thread& thread : threads_) thread.join();
  }

  void start() {
    try {
      for (int i = 0; i < plan_.threads; ++i) {
        threads_.emplace_back([this] {
          work();
          cores_->leave();
        });
      }
    } catch (const std::system_error& error) {
      throw RunError("cannot start " + std::to_string(plan_.threads) +
                     " threads: " + std::string(error.what()));
    }
  }

  Counters& counters() { return counters_; }

  void consume(const CancellationToken& cancellation, RowConsumer& consumer) {
    for (;;) {
      if (cancellation.cancelled()) throw Cancelled();
      Chunk* chunk = nullptr;
      bool finished = false;
      std::int64_t listed = 0;
      {
        std::unique_lock lock(mutex_);
        const StageClock::Scope waiting(counters_.write_wait);
        changed_.wait_for(lock, kTick, [&] { return failure_ || finished_locked() || front(); });
        if (failure_) std::rethrow_exception(failure_);
        finished = finished_locked();
        chunk = front();
        listed = num_rows_;
      }
      if (chunk != nullptr) {
        hand_on(*chunk, consumer);
        std::lock_guard lock(mutex_);
        chunk->finished = false;
        ++head_;
        changed_.notify_all();
      }
      if (finished || consumer.report_is_due())
        consumer.report(listed, finished, plan_.fixed_bytes);
      if (finished) return;
    }
  }

 private:
  Chunk& chunk_of(std::int64_t index) {
    return chunks_[static_cast<std::size_t>(index % plan_.chunks)];
  }
  // Both with mutex_ held.
  bool finished_locked() const { return ended_ && head_ == next_; }
  Chunk* front() { return head_ < next_ && chunk_of(head_).finished ? &chunk_of(head_) : nullptr; }

  bool stopped() {
    std::lock_guard lock(mutex_);
    return stopped_;
  }

  void stop() {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    changed_.notify_all();
  }

  void work() {
    try {
      std::unique_ptr<embed::TextEmbedLane> lane;
      if (embed_) {
        lane = embed_->embedder->make_lane();
        lane->share_cores(cores_);
      }
      std::vector<float> out(
          static_cast<std::size_t>(embed_ ? plan_.batch_size * embed_->dimension : 0));
      while (Chunk* chunk = take_chunk()) {
        if (lane) embed(*chunk, *lane, out.data());
        std::lock_guard lock(mutex_);
        chunk->finished = true;
        changed_.notify_all();
      }
    } catch (...) {
      std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      changed_.notify_all();
    }
  }

  // The next texts of the source; null at its end, or once the run stops.
  Chunk* take_chunk() {
    std::lock_guard source_lock(source_mutex_);
    Chunk* chunk = nullptr;
    {
      std::unique_lock lock(mutex_);
      const StageClock::Scope waiting(counters_.read_wait);
      changed_.wait(lock, [&] { return stopped_ || ended_ || next_ - head_ < plan_.chunks; });
      if (stopped_ || ended_) return nullptr;
      chunk = &chunk_of(next_);
    }
    const bool more = fill(*chunk);
    std::lock_guard lock(mutex_);
    if (!more) ended_ = true;
    num_rows_ += static_cast<std::int64_t>(chunk->rows.size());
    if (!chunk->rows.empty()) ++next_;
    changed_.notify_all();
    return chunk->rows.empty() ? nullptr : chunk;
  }

  // False at the end of the source; `chunk` may hold rows all the same.
  bool fill(Chunk& chunk) {
    chunk.rows.clear();
    std::size_t bytes = 0;
    while (static_cast<std::int64_t>(chunk.rows.size()) < plan_.batch_size &&
           bytes < static_cast<std::size_t>(kChunkTextBytes)) {
      if (options_.limit && num_taken_ == *options_.limit) return false;
      storage::TextRow row;
      const StageClock::Scope scope(counters_.read);
      switch (source_.next(row, kTick)) {
        case storage::TextSource::Outcome::kEnd:
          return false;
        case storage::TextSource::Outcome::kWaiting:
          if (stopped()) return false;
          if (!chunk.rows.empty()) return true;
          break;
        case storage::TextSource::Outcome::kRow:
          ++num_taken_;
          bytes += row.text.size();
          counters_.bytes_read += static_cast<std::int64_t>(row.text.size());
          ++counters_.rows_read;
          chunk.rows.push_back(std::move(row));
      }
    }
    return true;
  }

  void embed(Chunk& chunk, embed::TextEmbedLane& lane, float* out) {
    std::vector<std::string_view> texts;  // of the rows that have not failed
    std::vector<std::size_t> rows;
    for (std::size_t i = 0; i < chunk.rows.size(); ++i) {
      if (chunk.rows[i].error) continue;
      texts.push_back(chunk.rows[i].text);
      rows.push_back(i);
    }
    if (texts.empty()) return;
    {
      const StageClock::Scope scope(counters_.embed);
      counters_.retries += embed_batch(
          static_cast<std::int64_t>(texts.size()), sizer_,
          [&](std::int64_t first, std::int64_t count) {
            lane.embed(std::span(texts).subspan(static_cast<std::size_t>(first),
                                                static_cast<std::size_t>(count)),
                       out + first * embed_->dimension);
          },
          [&](std::int64_t index, RowError error) {
            chunk.rows[rows[static_cast<std::size_t>(index)]].error = std::move(error);
          },
          [&] { return !stopped(); });
    }
    counters_.note_batch(sizer_);
    counters_.rows_embedded += static_cast<std::int64_t>(texts.size());
    const auto length = static_cast<std::size_t>(embed_->dimension);
    chunk.vectors.resize(chunk.rows.size() * static_cast<std::size_t>(dimension_));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      storage::TextRow& row = chunk.rows[rows[i]];
      if (!row.error)
        row.error =
            keep_vector({out + i * length, length}, options_.vector, vector_of(chunk, rows[i]));
    }
  }

  std::span<float> vector_of(Chunk& chunk, std::size_t row) const {
    const auto length = static_cast<std::size_t>(dimension_);
    return {chunk.vectors.data() + row * length, length};
  }

  void hand_on(Chunk& chunk, RowConsumer& consumer) {
    for (std::size_t i = 0; i < chunk.rows.size(); ++i) {
      storage::TextRow& from = chunk.rows[i];
      Row row;
      row.index = num_left_++;
      row.path = std::move(from.label);
      row.text = std::move(from.text);
      row.error = std::move(from.error);
      if (embed_ && !row.error) row.embedding = vector_of(chunk, i);
      consumer.take(row);
    }
  }

  storage::TextSource& source_;
  const std::optional<TextStage>& embed_;
  const PipelineOptions& options_;
  const TextMemoryPlan plan_;
  const std::int64_t dimension_;  // of the vectors handed on
  Counters counters_;
  const std::shared_ptr<CoreShare> cores_;  // of the workers
  BatchSizer sizer_;                        // not measured: texts differ in length, and so in time

  std::mutex source_mutex_;     // taken before mutex_
  std::int64_t num_taken_ = 0;  // guarded by source_mutex_

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Chunk> chunks_;  // a ring; the places, not the contents, are guarded by mutex_
  std::int64_t head_ = 0;      // the oldest chunk; guarded by mutex_, as all that follow
  std::int64_t next_ = 0;      // the chunk to be filled next
  std::int64_t num_rows_ = 0;
  bool ended_ = false;
  bool stopped_ = false;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;  // of the caller's alone, as the next
  std::int64_t num_left_ = 0;         // rows handed on
};

}  // namespace

Statistics run_texts(storage::TextSource& source, const std::optional<TextStage>& embed,
                     RowSink& sink, const PipelineOptions& options,
                     const CancellationToken& cancellation, const ProgressCallback& progress,
                     const FailureCallback& failure) {
  const TextMemoryPlan plan = plan_of(embed, sink.max_buffered_bytes(), options);
  TextPipeline pipeline(source, embed, options, plan);
  RowConsumer consumer(sink, options, pipeline.counters(), progress, failure);
  consumer.statistics().batch_size = embed ? plan.batch_size : 0;
  consumer.statistics().threads = plan.threads;
  consumer.statistics().concurrency = {1, plan.threads, plan.threads, plan.threads};
  pipeline.start();
  pipeline.consume(cancellation, consumer);
  consumer.check_error_rate();
  return consumer.statistics();
}

}  // namespace vecframe::exec
