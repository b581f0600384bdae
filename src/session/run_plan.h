// Runs a plan: lowers it, makes the embedder again from the plan's facts, hands both to the job
// layer.
#pragma once

#include <vecframe/run.h>

#include <memory>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "columnar/batch.h"
#include "job/embed_job.h"
#include "plan/explain.h"
#include "plan/logical_plan.h"
#include "session/row_source.h"

namespace vecframe::session {

/// The plan as it runs: rewritten, unless the options say otherwise.
plan::PlanPointer plan_to_run(const plan::LogicalPlan& plan, const RunOptions& options);

/// Whether the plan runs as one job over files, rather than as steps.
bool runs_as_file_job(const plan::LogicalPlan& asked, const plan::LogicalPlan& optimized);

RunReport write_plan(const plan::LogicalPlan& plan, const std::string& path,
                     const WriteOptions& options);

struct CollectedPlan {
  std::shared_ptr<const columnar::Schema> schema;
  std::vector<columnar::Batch> batches;
  RunReport report;
};
CollectedPlan collect_plan(const plan::LogicalPlan& plan, const RunOptions& options);

/// Runs the plan as its rows are taken.
std::unique_ptr<RowSource> stream_plan(const plan::LogicalPlan& plan, const RunOptions& options);

/// How a plan would run.
plan::ExplainedPlan explained_plan(const plan::PlanPointer& plan);

/// The token of options.stop, or one that is never raised.
const CancellationToken& token_of(const RunOptions& options);
/// The job of a plan that reads files or texts and embeds them; throws RequestError for another.
job::EmbedJob embed_job_of(const plan::LogicalPlan& plan, const std::string& path,
                           const WriteOptions& options);
exec::ProgressCallback progress_of(const RunOptions& options);
exec::FailureCallback failure_of(const RunOptions& options);
RunReport to_public(const job::Report& report);

/// The rows as a table of text.
std::string show_plan(const plan::LogicalPlan& plan, const RunOptions& options);

}  // namespace vecframe::session
