// Runs a plan: lowers it, makes the embedder again from the plan's facts, hands both to the job
// layer.
#pragma once

#include <vecframe/run.h>

#include <memory>
#include <string>
#include <vector>

#include "columnar/batch.h"
#include "plan/logical_plan.h"

namespace vecframe::session {

RunReport write_plan(const plan::LogicalPlan& plan, const std::string& path,
                     const WriteOptions& options);

struct CollectedPlan {
  std::shared_ptr<const columnar::Schema> schema;
  std::vector<columnar::Batch> batches;
  RunReport report;
};
CollectedPlan collect_plan(const plan::LogicalPlan& plan, const RunOptions& options);

/// The rows as a table of text.
std::string show_plan(const plan::LogicalPlan& plan, const RunOptions& options);

}  // namespace vecframe::session
