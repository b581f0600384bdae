#include "job/step_job.h"

#include <vecframe/error.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "exec/processors.h"
#include "exec/row_consumer.h"
#include "exec/stages.h"
#include "exec/steps.h"
#include "exec/vector_cache.h"
#include "job/dead_letters.h"
#include "job/directory_run.h"
#include "job/output_path.h"
#include "job/part.h"
#include "job/planned_job.h"
#include "job/process_memory.h"
#include "job/step_shards.h"

namespace vecframe::job {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Runs plans and keeps the figures of all of them together.
class StepRunner {
 public:
  /// `letters` may be null.
  StepRunner(const StepJob& job, exec::StepContext& context, const exec::ProgressCallback& progress,
             std::unique_ptr<DeadLetters> letters = nullptr)
      : job_(job), context_(context), progress_(progress), letters_(std::move(letters)) {
    report_.library_version = VECFRAME_VERSION;
    report_.output = job.output;
    report_.fast_decode = plan::decodes_fast(job.plan);
    context_.statistics = &report_.statistics;
    context_.counters = std::make_shared<exec::Counters>();
    // While rows are awaited too, so that whoever looks at progress can end a run that hangs.
    // Operators wait on threads of their own besides.
    context_.tick = [this, puller = std::this_thread::get_id()] {
      if (std::this_thread::get_id() == puller && seconds_since(shown_) >= kInterval)
        report_progress();
    };
    if (letters_)
      context_.on_failed_row = [this](const std::string& row, const RowError& error) {
        letters_->add(failed_input(row, error));
      };
  }
  ~StepRunner() {
    context_.statistics = nullptr;
    context_.on_failed_row = {};
    context_.tick = {};
  }
  StepRunner(const StepRunner&) = delete;
  StepRunner& operator=(const StepRunner&) = delete;

  /// Pulls every morsel through `receive`.
  template <class Receive>
  void run(const Receive& receive) {
    exec::Statistics& statistics = report_.statistics;
    context_.abandoned = std::make_shared<CancellationToken>();
    const Clock::time_point opening = Clock::now();
    const std::unique_ptr<exec::Operator> root = exec::open_steps(job_.plan, context_);
    const Abandon abandon{*context_.abandoned};
    report_.load_seconds += seconds_since(opening);
    const Clock::time_point start = Clock::now();
    const double before = statistics.seconds;
    const auto next = [&] {
      const exec::StageClock::Scope waiting(context_.counters->write_wait);
      return root->next();
    };
    while (std::optional<columnar::Morsel> morsel = next()) {
      if (context_.cancellation.cancelled()) throw Cancelled();
      {
        std::lock_guard lock(*context_.report_mutex);
        statistics.rows += morsel->num_rows;
        statistics.seconds = before + seconds_since(start);
      }
      {
        const exec::StageClock::Scope writing(context_.counters->write);
        receive(*morsel);
      }
      {
        std::lock_guard lock(*context_.report_mutex);
        check_error_rate(kFirstChecked);
      }
      if (seconds_since(shown_) >= kInterval) report_progress();
    }
    if (context_.cancellation.cancelled()) throw Cancelled();
    statistics.seconds = before + seconds_since(start);
  }
  const exec::Statistics& statistics() const { return report_.statistics; }

  Report finish() {
    check_error_rate(0);
    if (letters_) letters_->commit();
    letters_.reset();
    exec::Statistics& statistics = report_.statistics;
    note_listed(job_, context_, /*ended=*/true, statistics);
    exec::count_into(*context_.counters, statistics);
    statistics.budget_bytes = context_.memory_limit;
    statistics.peak_budget_bytes = context_.counters->peak_bytes;
    const int threads = context_.threads == 0 ? exec::usable_processors() : context_.threads;
    statistics.concurrency = exec::concurrency_of_map(context_.stages, threads);
    statistics.threads = statistics.concurrency.workers;
    if (progress_) progress_(statistics);
    if (job_.embedder) report_.embedder = *job_.embedder;
    report_.peak_memory_bytes = peak_memory_of_process();
    return report_;
  }

 private:
  // Tells the operators that nobody pulls any more, before they are destroyed.
  struct Abandon {
    CancellationToken& token;
    ~Abandon() { token.cancel(); }
  };

  void report_progress() {
    shown_ = Clock::now();
    if (!progress_) return;
    exec::Statistics now;
    {
      std::lock_guard lock(*context_.report_mutex);
      note_listed(job_, context_, /*ended=*/false, report_.statistics);
      exec::count_into(*context_.counters, report_.statistics);
      now = report_.statistics;
    }
    progress_(now);
  }

  static constexpr double kInterval = 0.1;
  static constexpr std::int64_t kFirstChecked = 100;  // as in exec::RowConsumer

  // What failed is told even if the run ends for it.
  void check_error_rate(std::int64_t least_rows) {
    const exec::Statistics& statistics = report_.statistics;
    if (!job_.max_error_rate) return;
    const auto rows = static_cast<double>(std::max(statistics.rows, least_rows));
    if (static_cast<double>(statistics.failed) <= *job_.max_error_rate * rows) return;
    if (letters_) letters_->commit();
    throw RunError(std::to_string(statistics.failed) + " of " + std::to_string(statistics.rows) +
                   " rows failed, more than max_error_rate=" +
                   std::to_string(*job_.max_error_rate) + " allows");
  }

  const StepJob& job_;
  exec::StepContext& context_;
  const exec::ProgressCallback& progress_;
  std::unique_ptr<DeadLetters> letters_;
  Report report_;
  Clock::time_point shown_ = Clock::now();
};

std::unique_ptr<DeadLetters> dead_letters_of(const StepJob& job, storage::TableModule& tables) {
  return job.dead_letter.empty() ? nullptr : open_dead_letters(job.dead_letter, tables);
}

Report run_to_file(const StepJob& job, exec::StepContext& context, storage::TableModule& tables,
                   const exec::ProgressCallback& progress) {
  check_output(job.output, job.writing.mode);
  Part part(job.output, output_schema(job), tables);
  StepRunner runner(job, context, progress, dead_letters_of(job, tables));
  runner.run([&](const columnar::Morsel& morsel) { part.write(morsel); });
  part.close(/*is_shard=*/false);
  Report report = runner.finish();
  report.parts = {part.path()};
  part.commit();
  return report;
}

// The rows of the plan in one stream, cut into parts; what they were made of is not known.
Report run_one_stream(const StepJob& job, exec::StepContext& context, storage::TableModule& tables,
                      const exec::ProgressCallback& progress) {
  if (job.writing.mode == WriteMode::kResume)
    throw RequestError("resume: " + why_in_one_stream(job.plan) +
                       ", so the rows of this plan cannot be told apart by their inputs; write it "
                       "anew with overwrite");
  const auto schema = output_schema(job);
  DirectoryRun run(job.output, job.writing, schema, recipe_of(job, context, *schema), tables);
  ShardWriter& writer = run.writer();
  FreeIds ids(run.inventory(), {});
  std::int64_t num_rows = 0;  // of the part in hand
  const auto begin = [&] {
    Shard shard;
    shard.id = ids.next();
    writer.begin(std::make_shared<const Shard>(shard));
    num_rows = 0;
  };
  StepRunner runner(job, context, progress, dead_letters_of(job, tables));
  runner.run([&](const columnar::Morsel& morsel) {
    std::int64_t taken = 0;
    while (taken < morsel.num_rows) {
      if (!writer.in_shard()) begin();
      const std::int64_t count =
          std::min(morsel.num_rows - taken, job.writing.rows_per_part - num_rows);
      writer.write(columnar::slice(morsel, taken, count));
      taken += count;
      num_rows += count;
      if (num_rows == job.writing.rows_per_part) writer.finish();
    }
  });
  if (!writer.in_shard() && writer.written().empty() && run.inventory().parts().empty()) begin();
  if (writer.in_shard()) writer.finish();
  Report report = runner.finish();
  run.finish(report);
  return report;
}

// Shard by shard, each with a source of its own; models are loaded once.
Report run_shards(const StepJob& job, exec::StepContext& context, storage::TableModule& tables,
                  const exec::ProgressCallback& progress) {
  const auto schema = output_schema(job);
  DirectoryRun run(job.output, job.writing, schema, recipe_of(job, context, *schema), tables);
  PlannedUnits units(job, run, tables);
  exec::StepContext once = shard_context(context);
  StepRunner runner(job, once, progress, dead_letters_of(job, tables));
  ShardWriter& writer = run.writer();
  std::vector<std::string> shard_units;
  const auto compute = [&] {
    if (shard_units.empty()) return;
    read_units(once, shard_units, tables);
    const std::int64_t failed = runner.statistics().failed;
    runner.run([&](const columnar::Morsel& morsel) { writer.write(morsel); });
    writer.add_failed(runner.statistics().failed - failed);
    writer.finish();
    shard_units.clear();
  };
  while (std::optional<PlannedRow> unit = units.planner().next()) {
    if (writer.shard() != unit->shard.get()) {
      compute();
      writer.begin(unit->shard);
    }
    writer.set_inputs(describe_unit(job.plan, unit->path));
    shard_units.push_back(std::move(unit->path));
    writer.add_key(unit->key);
    if (unit->ends_shard) compute();
  }
  compute();
  for (const std::int64_t id : units.outdated()) writer.remove(id);
  const bool nothing = run.inventory().parts().empty() && writer.written().empty();
  if (nothing && job.writing.share.whole()) {
    writer.begin(std::make_shared<const Shard>());
    writer.finish();
  }
  Report report = runner.finish();
  if (!run.inventory().difference().empty())
    report.notices.push_back("the recipe changed, rows of another one are computed again: " +
                             run.inventory().difference());
  run.finish(report);
  return report;
}

Report run_to_parts(const StepJob& job, exec::StepContext& context, storage::TableModule& tables,
                    const exec::ProgressCallback& progress) {
  return why_in_one_stream(job.plan).empty() ? run_shards(job, context, tables, progress)
                                             : run_one_stream(job, context, tables, progress);
}

}  // namespace

std::shared_ptr<const columnar::Schema> output_schema(const StepJob& job) {
  auto schema = std::make_shared<columnar::Schema>(job.plan.schema());
  schema->metadata.emplace_back("vecframe.version", VECFRAME_VERSION);
  if (plan::decodes_fast(job.plan))
    schema->metadata.emplace_back("vecframe.fast_decode", exec::kFastDecode);
  return schema;
}

Report run_shard(const StepJob& job, exec::StepContext& context, const ShardSpec& spec,
                 storage::TableModule& tables, const exec::ProgressCallback& progress) {
  const auto schema = output_schema(job);
  const DirectoryFiles directory(job.output);
  ShardWriter writer =
      begin_shard(directory, spec, schema, recipe_of(job, context, *schema), tables);
  writer.begin(std::make_shared<const Shard>(spec.shard));
  std::vector<std::string> units;
  for (const auto& [unit, key] : spec.files) {
    writer.set_inputs(describe_unit(job.plan, unit));
    writer.add_key(key);
    units.push_back(unit);
  }
  read_units(context, units, tables);
  std::vector<FailedInput> failed;
  StepRunner runner(job, context, progress,
                    job.dead_letter.empty() ? nullptr : std::make_unique<CollectedLetters>(failed));
  runner.run([&](const columnar::Morsel& morsel) { writer.write(morsel); });
  writer.add_failed(runner.statistics().failed);
  Report report = runner.finish();
  writer.finish();
  report.parts = {directory.file(part_name(spec.shard.id))};
  report.failed_inputs = std::move(failed);
  return report;
}

Report run(const StepJob& job, exec::StepContext& context, storage::TableModule& tables,
           const exec::ProgressCallback& progress) {
  check_options(job.writing, job.output);
  return output_kind(job.output) == OutputKind::kFile
             ? run_to_file(job, context, tables, progress)
             : run_to_parts(job, context, tables, progress);
}

void note_listed(const StepJob& job, const exec::StepContext& context, bool ended,
                 exec::Statistics& statistics) {
  statistics.listing_done = ended || job.expected_rows.has_value();
  statistics.listed = ended ? statistics.rows
                            : job.expected_rows.value_or(std::max<std::int64_t>(
                                  statistics.rows, context.counters->rows_listed));
}

Collected collect(const StepJob& job, exec::StepContext& context,
                  const exec::ProgressCallback& progress) {
  Collected collected;
  collected.schema = output_schema(job);
  StepRunner runner(job, context, progress);
  runner.run([&](const columnar::Morsel& morsel) {
    ArrowArray array;
    columnar::export_morsel(morsel, &array);
    collected.batches.emplace_back(collected.schema, array);
  });
  collected.report = runner.finish();
  return collected;
}

}  // namespace vecframe::job
