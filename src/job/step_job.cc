#include "job/step_job.h"

#include <vecframe/error.h>

#include <chrono>
#include <functional>
#include <utility>

#include "exec/steps.h"
#include "job/process_memory.h"
#include "job/table_output.h"

namespace vecframe::job {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Pulls every morsel through `receive`.
Report execute(const StepJob& job, exec::StepContext& context,
               const std::function<void(const columnar::Morsel&)>& receive,
               const exec::ProgressCallback& progress) {
  constexpr double kInterval = 0.1;
  Report report;
  report.library_version = VECFRAME_VERSION;
  if (job.embedder) report.embedder = *job.embedder;
  exec::Statistics& statistics = report.statistics;
  context.statistics = &statistics;
  const Clock::time_point opening = Clock::now();
  const std::unique_ptr<exec::Operator> root = exec::open_steps(job.plan, context);
  report.load_seconds = seconds_since(opening);
  const Clock::time_point start = Clock::now();
  while (std::optional<columnar::Morsel> morsel = root->next()) {
    if (context.cancellation.cancelled()) throw Cancelled();
    statistics.rows += morsel->num_rows;
    statistics.listed = statistics.rows;
    receive(*morsel);
    if (seconds_since(start) - statistics.seconds < kInterval) continue;
    statistics.seconds = seconds_since(start);
    if (progress) progress(statistics);
  }
  if (context.cancellation.cancelled()) throw Cancelled();
  statistics.seconds = seconds_since(start);
  statistics.listing_done = true;
  statistics.budget_bytes = context.memory_limit;
  if (progress) progress(statistics);
  context.statistics = nullptr;
  report.peak_memory_bytes = peak_memory_of_process();
  return report;
}

}  // namespace

std::shared_ptr<const columnar::Schema> output_schema(const StepJob& job) {
  auto schema = std::make_shared<columnar::Schema>(job.plan.schema());
  schema->metadata.emplace_back("vecframe.version", VECFRAME_VERSION);
  return schema;
}

Report run(const StepJob& job, exec::StepContext& context, storage::TableModule& tables,
           const exec::ProgressCallback& progress) {
  EmbedJob output_job;
  output_job.output = job.output;
  output_job.mode = job.mode;
  const auto schema = output_schema(job);
  const std::unique_ptr<TableOutput> output = open_output(output_job, schema, tables);
  Report report = execute(
      job, context, [&](const columnar::Morsel& morsel) { output->write(morsel); }, progress);
  output->close();
  report.output = job.output;
  report.parts = output->parts();
  output->commit(report.to_json());
  return report;
}

Collected collect(const StepJob& job, exec::StepContext& context,
                  const exec::ProgressCallback& progress) {
  Collected collected;
  collected.schema = output_schema(job);
  collected.report = execute(
      job, context,
      [&](const columnar::Morsel& morsel) {
        ArrowArray array;
        columnar::export_morsel(morsel, &array);
        collected.batches.emplace_back(collected.schema, array);
      },
      progress);
  return collected;
}

}  // namespace vecframe::job
