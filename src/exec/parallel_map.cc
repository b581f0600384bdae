#include "exec/parallel_map.h"

#include <vecframe/error.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "base/core_share.h"
#include "base/large_blocks.h"
#include "exec/duplicates.h"
#include "exec/embed_column.h"
#include "exec/ordered_workers.h"
#include "exec/processors.h"
#include "exec/row_failures.h"
#include "exec/stages.h"

namespace vecframe::exec {
namespace {

using columnar::Morsel;

// How soon a raised CancellationToken is seen, at the latest.
constexpr std::chrono::milliseconds kTick{50};
// What is left for pictures in flight at the least.
constexpr std::int64_t kLeastRoom = 1 << 20;

struct Chunk {
  Morsel rows;
  std::int64_t first_row = 0;  // of the input
  std::vector<columnar::ArrayPointer> columns;
  std::vector<RowFailure> failures;
};

struct MapMemory {
  Concurrency concurrency;
  std::int64_t rows = 1;  // a chunk
  std::int64_t window = 1;
  std::int64_t fixed = 0;
  std::int64_t room = 0;  // for files and pictures
  std::int64_t kept_vector_bytes = 0;
};

using Columns = std::vector<std::unique_ptr<ColumnPlan>>;

std::int64_t window_of(int workers) { return 2 * std::int64_t{workers} + 1; }

std::int64_t fixed_bytes(const Columns& columns, const Concurrency& concurrency,
                         std::int64_t rows) {
  std::int64_t worker = 0, column = 0, lane = 0;
  for (const auto& plan : columns) {
    worker += plan->worker_bytes(rows);
    column += plan->column_bytes(rows);
    lane += plan->lane_bytes(rows);
  }
  return concurrency.workers * worker + concurrency.lanes * lane +
         window_of(concurrency.workers) * column;
}

MapMemory plan_map_memory(const Columns& columns, const StepContext& context) {
  MapMemory memory;
  int threads = context.threads == 0 ? usable_processors() : context.threads;
  memory.concurrency = concurrency_of_map(context.stages, threads);
  memory.rows = 1024;
  for (const auto& plan : columns)
    if (plan->wanted_rows() > 0) memory.rows = std::min(memory.rows, plan->wanted_rows());
  const auto left = [&] {
    return context.memory_limit - fixed_bytes(columns, memory.concurrency, memory.rows);
  };
  // Half of the limit is for pictures, as far as smaller chunks can give it to them.
  while (left() < context.memory_limit / 2 && memory.rows > 1) memory.rows /= 2;
  while (left() < kLeastRoom && context.threads == 0 && threads > 1)
    memory.concurrency = concurrency_of_map(context.stages, --threads);
  if (left() < kLeastRoom)
    throw RequestError("memory_limit=" + std::to_string(context.memory_limit) +
                       " is too small: this plan needs at least " +
                       std::to_string(fixed_bytes(columns, {}, 1) + kLeastRoom) +
                       " bytes with threads=1");
  memory.window = window_of(memory.concurrency.workers);
  const std::int64_t keeping = std::count_if(
      columns.begin(), columns.end(), [](const auto& plan) { return plan->keeps_vectors(); });
  if (keeping > 0)
    memory.kept_vector_bytes =
        std::min(Duplicates::kMaximumBytes, (left() - kLeastRoom) / 16 / keeping);
  memory.room = left() - keeping * memory.kept_vector_bytes;
  memory.fixed = context.memory_limit - memory.room;
  return memory;
}

// Null where all workers may.
std::shared_ptr<Gate> gate_for(int places, int workers) {
  return places < workers ? std::make_shared<Gate>(places) : nullptr;
}

class ParallelMap final : public Operator {
 public:
  ParallelMap(std::unique_ptr<Operator> input, Columns columns, const StepContext& context,
              bool ordered)
      : input_(std::move(input)),
        columns_(std::move(columns)),
        context_(context),
        memory_(plan_map_memory(columns_, context)),
        budget_(memory_.room),
        limits_{.budget = budget_,
                .stopping = stopping_,
                .fetch = context_.fetch,
                .decode = context_.decode,
                .reading = gate_for(memory_.concurrency.readers, memory_.concurrency.workers),
                .preparing = gate_for(memory_.concurrency.decoders, memory_.concurrency.workers),
                .counters = context_.counters},
        cores_(share_processors(memory_.concurrency.workers)),
        shares_few_rows_(std::any_of(columns_.begin(), columns_.end(),
                                     [](const auto& plan) { return plan->shares_few_rows(); })),
        workers_(memory_.window, ordered, [this](Chunk& chunk) { return fill(chunk); }) {
    const Concurrency& concurrency = memory_.concurrency;
    for (const auto& plan : columns_)
      plan->begin({memory_.rows, concurrency.workers, concurrency.lanes, memory_.kept_vector_bytes,
                   cores_});
    workers_.start(
        concurrency.workers, [this] { return make_work(); }, [this] { cores_->leave(); });
  }
  ~ParallelMap() override { stopping_.cancel(); }

  std::optional<Morsel> next() override {
    for (;;) {
      context_.check();
      Chunk* chunk = workers_.wait_done(kTick);
      if (chunk == nullptr) {
        if (workers_.finished()) return std::nullopt;
        continue;
      }
      context_.counters->note_peak(memory_.fixed + budget_.peak());
      for (const RowFailure& failure : chunk->failures)
        report_failure(context_, chunk->first_row, failure);
      Morsel result = std::move(chunk->rows);
      for (columnar::ArrayPointer& column : chunk->columns)
        result.columns.push_back(std::move(column));
      workers_.pop(chunk);
      return result;
    }
  }

 private:
  // The next rows of the input; on one worker at a time.
  bool fill(Chunk& chunk) {
    while (taken_ == current_.num_rows) {
      std::optional<Morsel> next = input_->next();
      if (!next) return false;
      current_ = std::move(*next);
      taken_ = 0;
      chunk_rows_ = chunk_rows_of(current_.num_rows);
    }
    const std::int64_t count = std::min(chunk_rows_, current_.num_rows - taken_);
    chunk.rows = columnar::slice(current_, taken_, count);
    chunk.first_row = num_rows_;
    taken_ += count;
    num_rows_ += count;
    return true;
  }

  // For so many rows of the input: whole chunks, but the first rows, of which there may be no more
  // than these, go to all workers.
  std::int64_t chunk_rows_of(std::int64_t rows) const {
    const std::int64_t workers = memory_.concurrency.workers;
    if (!shares_few_rows_ || num_rows_ + rows > workers * memory_.rows) return memory_.rows;
    return std::min(memory_.rows, (rows + workers - 1) / workers);
  }

  OrderedWorkers<Chunk>::Work make_work() {
    auto columns = std::make_shared<std::vector<std::unique_ptr<ColumnWorker>>>();
    for (const auto& plan : columns_) columns->push_back(plan->make_worker(limits_));
    return [columns](Chunk& chunk) {
      for (const auto& column : *columns)
        for (columnar::ArrayPointer& made : column->compute(chunk.rows, chunk.failures))
          chunk.columns.push_back(std::move(made));
    };
  }

  const std::unique_ptr<Operator> input_;
  const Columns columns_;
  const StepContext& context_;
  const MapMemory memory_;
  CancellationToken stopping_;
  ByteBudget budget_;
  const EvaluationLimits limits_;
  Morsel current_;  // of the input, of which taken_ rows are taken; of the worker that fills
  std::int64_t taken_ = 0;
  std::int64_t chunk_rows_ = 0;
  std::int64_t num_rows_ = 0;
  const std::shared_ptr<CoreShare> cores_;  // of the workers
  const bool shares_few_rows_;
  OrderedWorkers<Chunk> workers_;  // dies first: its threads use all the rest
};

}  // namespace

std::unique_ptr<Operator> make_parallel_map(std::unique_ptr<Operator> input,
                                            const columnar::Schema& input_schema,
                                            const plan::MapStep& step, const StepContext& context,
                                            bool ordered) {
  map_large_blocks();
  Columns columns;
  for (const plan::ComputedColumn& column : step.columns)
    columns.push_back(plan_column(column, input_schema, context));
  return std::make_unique<ParallelMap>(std::move(input), std::move(columns), context, ordered);
}

}  // namespace vecframe::exec
