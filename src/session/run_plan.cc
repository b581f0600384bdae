#include "session/run_plan.h"

#include <vecframe/error.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "base/cancellation.h"
#include "exec/stages.h"
#include "job/dead_letters.h"
#include "job/embed_job.h"
#include "plan/bind_embedders.h"
#include "plan/physical_plan.h"
#include "plan/rewrite.h"
#include "plan/warnings.h"
#include "session/file_job_rows.h"
#include "session/output_options.h"
#include "session/provider_call.h"
#include "session/resolve_call.h"
#include "session/run_steps.h"
#include "session/table_module.h"
#include "session/table_text.h"

namespace vecframe::session {
namespace {

using Source = job::OutputColumn::Source;

Source to_source(plan::ColumnSource source) {
  switch (source) {
    case plan::ColumnSource::kPath:
      return Source::kPath;
    case plan::ColumnSource::kText:
      return Source::kText;
    case plan::ColumnSource::kWidth:
      return Source::kWidth;
    case plan::ColumnSource::kHeight:
      return Source::kHeight;
    case plan::ColumnSource::kFormat:
      return Source::kFormat;
    case plan::ColumnSource::kError:
      return Source::kError;
    case plan::ColumnSource::kEmbedding:
    case plan::ColumnSource::kImage:
      break;  // lower() leaves no picture in the output
  }
  return Source::kEmbedding;
}

void check_error_rate(const WriteOptions& options, exec::OnError on_error) {
  if (options.max_error_rate && on_error == exec::OnError::kRaise)
    throw RequestError(
        "max_error_rate: on_error='raise' stops at the first row that fails; give "
        "on_error='log' or 'ignore' to the embedding");
}

exec::OnError to_exec(OnError on_error) {
  switch (on_error) {
    case OnError::kRaise:
      return exec::OnError::kRaise;
    case OnError::kLog:
      return exec::OnError::kLog;
    case OnError::kIgnore:
      break;
  }
  return exec::OnError::kIgnore;
}

void set_embedder(const plan::EmbedCall& call, const RunOptions& run, job::EmbedJob& job) {
  if (call.function == plan::EmbedFunction::kImage) {
    job.descriptor = describe_image_call(call, run);
  } else {
    job.text_descriptor = describe_text_call(call, run);
  }
  job.pipeline.batch_size = call.batch_size.value_or(0);
  job.pipeline.vector = {call.dimensions, call.normalize, call.element};
  job.pipeline.on_error = to_exec(call.on_error);
}

job::EmbedJob make_job(const plan::LogicalPlan& plan, const RunOptions& options) {
  const plan::PhysicalPlan physical = plan::lower(plan);
  job::EmbedJob job;
  if (physical.embed) set_embedder(*physical.embed, options, job);
  for (const plan::BoundColumn& column : physical.columns) {
    job.columns.push_back({to_source(column.source), column.name});
  }
  if (options.threads < 0) {
    throw RequestError("threads: " + std::to_string(options.threads) +
                       " is negative; give 0 for one a processor");
  }
  exec::check_stages(options.stages);
  job.pipeline.threads = options.threads;
  job.pipeline.stages = options.stages;
  job.pipeline.ordered = options.ordered;
  job.pipeline.memory_limit = options.memory_limit;
  job.pipeline.limit = physical.limit;
  if (const auto* images = std::get_if<plan::ReadImages>(&physical.read)) {
    job.inputs = images->inputs;
    job.pipeline.decode_limits.max_pixels = images->options.max_pixels;
    job.pipeline.apply_orientation = images->options.apply_orientation;
    job.pipeline.fast_decode = images->options.fast_decode;
  } else {
    job.texts = std::get<plan::ReadTexts>(physical.read).path;
  }
  return job;
}

}  // namespace

exec::ProgressCallback progress_of(const RunOptions& options) {
  if (!options.on_progress) return {};
  return [callback = options.on_progress](const exec::Statistics& s) { callback(to_progress(s)); };
}

exec::FailureCallback failure_of(const RunOptions& options) {
  if (!options.on_failure) return {};
  return [callback = options.on_failure](const exec::Row& row) {
    callback({row.path, row.error->to_string()});
  };
}

RunReport to_public(const job::Report& report) {
  RunReport result;
  result.rows = report.statistics.rows;
  result.failed = report.statistics.failed;
  result.failures = report.statistics.failures;
  result.seconds = report.statistics.seconds;
  result.load_seconds = report.load_seconds;
  result.notices = report.notices;
  result.peak_memory_bytes = report.peak_memory_bytes;
  result.json = report.to_json();
  result.failed_inputs = report.failed_inputs;
  return result;
}

job::EmbedJob embed_job_of(const plan::LogicalPlan& plan, const std::string& path,
                           const WriteOptions& options) {
  job::EmbedJob job = make_job(plan, options);
  job.output = path;
  job.writing = output_options(options);
  job.dead_letter = options.dead_letter;
  if (!options.dead_letter.empty()) job::check_dead_letters(options.dead_letter);
  if (!options.cache.empty()) job.cache = {options.cache, options.cache_bytes};
  check_error_rate(options, job.pipeline.on_error);
  job.pipeline.max_error_rate = options.max_error_rate;
  return job;
}

const CancellationToken& token_of(const RunOptions& options) {
  static const CancellationToken never;
  return options.stop ? *static_cast<const CancellationToken*>(options.stop->state().get()) : never;
}

plan::PlanPointer plan_to_run(const plan::LogicalPlan& plan, const RunOptions& options) {
  if (options.morsel_rows < 0)
    throw RequestError("morsel_rows: " + std::to_string(options.morsel_rows) +
                       " is negative; give a number of rows, or 0");
  if (options.on_warning)
    for (const std::string& warning : plan::all_warnings(plan)) options.on_warning(warning);
  const plan::PlanPointer shared = plan::bind_embedders(
      std::make_shared<const plan::LogicalPlan>(plan), find_embedder, relational_source());
  return options.optimize ? plan::optimize(shared, relational_source()) : shared;
}

bool runs_as_file_job(const plan::LogicalPlan& asked, const plan::LogicalPlan& optimized) {
  if (!plan::is_file_job(optimized)) return false;
  // A job over files leaves pictures out of its result, which a plan that was rewritten into one
  // may not do.
  const auto& fields = asked.schema.fields;
  return plan::is_file_job(asked) ||
         std::none_of(fields.begin(), fields.end(), [](const columnar::Field& field) {
           return field.type.kind == columnar::TypeKind::kImage;
         });
}

RunReport write_plan(const plan::LogicalPlan& asked, const std::string& path,
                     const WriteOptions& options) {
  const plan::PlanPointer optimized = plan_to_run(asked, options);
  const plan::LogicalPlan& plan = *optimized;
  if (!runs_as_file_job(asked, plan)) return to_public(write_steps(plan, path, options));
  const job::EmbedJob job = embed_job_of(plan, path, options);
  return to_public(
      job::run(job, table_module(), token_of(options), progress_of(options), failure_of(options)));
}

CollectedPlan collect_plan(const plan::LogicalPlan& asked, const RunOptions& options) {
  const plan::PlanPointer optimized = plan_to_run(asked, options);
  const plan::LogicalPlan& plan = *optimized;
  job::Collected collected = !runs_as_file_job(asked, plan)
                                 ? collect_steps(plan, options)
                                 : job::collect(make_job(plan, options), token_of(options),
                                                progress_of(options), failure_of(options));
  return {std::move(collected.schema), std::move(collected.batches), to_public(collected.report)};
}

plan::ExplainedPlan explained_plan(const plan::PlanPointer& plan) {
  plan::ExplainedPlan explained{plan, plan_to_run(*plan, {}), {}, {}};
  if (runs_as_file_job(*plan, *explained.optimized)) {
    explained.kind = "file job";
    explained.physical = plan::explain(plan::lower(*explained.optimized));
  } else {
    explained.kind = "steps";
    explained.physical =
        plan::explain(plan::lower_to_steps(*explained.optimized, relational_source()));
  }
  return explained;
}

std::unique_ptr<RowSource> stream_plan(const plan::LogicalPlan& asked, const RunOptions& options) {
  const plan::PlanPointer plan = plan_to_run(asked, options);
  if (runs_as_file_job(asked, *plan)) return stream_file_job(make_job(*plan, options), options);
  return stream_steps(*plan, options);
}

std::string show_plan(const plan::LogicalPlan& plan, const RunOptions& options) {
  CollectedPlan collected = collect_plan(plan, options);
  return table_text(*collected.schema, collected.batches);
}

}  // namespace vecframe::session
