// A job over files or texts into a directory of parts.

#include <vecframe/error.h>

#include <utility>

#include "job/directory_run.h"
#include "job/embed_planning.h"
#include "job/execute.h"
#include "job/process_memory.h"
#include "job/shard_sink.h"

namespace vecframe::job {
namespace {

// An output of no rows is a part of no rows, so that readers find a schema.
void write_empty_part(DirectoryRun& run, const OutputOptions& options) {
  const bool nothing = run.inventory().parts().empty() && run.writer().written().empty();
  if (!nothing || !options.share.whole()) return;
  run.writer().begin(std::make_shared<const Shard>());
  run.writer().finish();
}

// Rows that are computed: `noting` hands them on to `sink`.
struct Sinks {
  PlannedRows planned;
  ShardSink sink;
  NotingSink noting;
};

Report run_images(const EmbedJob& job, DirectoryRun& run, Sinks& sinks,
                  const CancellationToken& cancellation, const exec::ProgressCallback& progress,
                  const exec::FailureCallback& failure) {
  PlannedFiles files(job, run);
  PlannedListing rows(files.planner(), sinks.planned);
  Report report = begin_report(job);
  if (!rows.empty()) {
    EmbedJob planned_job = job;
    planned_job.pipeline.limit.reset();  // the planner's
    report = execute_images(planned_job, rows, sinks.noting, cancellation, progress, failure);
    sinks.sink.finish();
  }
  while (std::optional<Shard> shard = files.planner().next_pruned()) run.writer().drop_rows(*shard);
  return report;
}

Report run_texts(const EmbedJob& job, DirectoryRun& run, Sinks& sinks,
                 const CancellationToken& cancellation, const exec::ProgressCallback& progress,
                 const exec::FailureCallback& failure) {
  TextPlanner planner(job.texts, text_options(job), run.inventory(), sinks.planned);
  Report report = begin_report(job);
  if (!planner.finished()) {
    EmbedJob planned_job = job;
    planned_job.pipeline.limit.reset();
    report = execute_texts(planned_job, planner, sinks.noting, cancellation, progress, failure);
    sinks.sink.finish();
  }
  for (const std::int64_t id : planner.superfluous()) run.writer().remove(id);
  return report;
}

}  // namespace

Recipe recipe_of(const EmbedJob& job, const columnar::Schema& schema) {
  Recipe recipe(job.texts.empty() ? "files" : "texts of " + job.texts);
  recipe.add(schema);
  if (job.texts.empty()) {
    recipe.add("max_pixels", std::to_string(job.pipeline.decode_limits.max_pixels));
    recipe.add("detect", job.writing.detect == Detect::kTime ? "time" : "content");
  } else {
    recipe.add("rows_per_part", std::to_string(job.writing.rows_per_part));
  }
  return recipe;
}

Report run_to_directory(const EmbedJob& job, storage::TableModule& tables,
                        const CancellationToken& cancellation,
                        const exec::ProgressCallback& progress,
                        const exec::FailureCallback& failure) {
  check_writing(job);
  const auto schema = output_schema(job);
  DirectoryRun run(job.output, job.writing, schema, recipe_of(job, *schema), tables);
  Sinks sinks{{},
              {run.writer(), sinks.planned, schema, job.columns,
               sink_memory(job.pipeline.memory_limit), /*with_keys=*/job.texts.empty()},
              {sinks.sink, dead_letters_of(job, tables)}};
  const auto execute = job.texts.empty() ? run_images : run_texts;
  Report report = execute(job, run, sinks, cancellation, progress, failure);
  if (cancellation.cancelled()) throw Cancelled();
  sinks.noting.commit();
  write_empty_part(run, job.writing);
  if (!run.inventory().difference().empty())
    report.notices.push_back("the recipe changed, rows of another one are computed again: " +
                             run.inventory().difference());
  report.peak_memory_bytes = peak_memory_of_process();
  run.finish(report);
  return report;
}

}  // namespace vecframe::job
