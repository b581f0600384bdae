// Plans as people read them: as text, or as JSON for tools.
#pragma once

#include <string>
#include <vector>

#include "plan/logical_plan.h"
#include "plan/physical_plan.h"
#include "plan/steps.h"

namespace vecframe::plan {

/// One line a node, the last operation first, with the resulting schema on top. Embeddings have
/// their properties below them.
std::string explain(const LogicalPlan& plan);

/// One line a step, in the order in which rows pass them.
std::vector<std::string> explain(const StepPlan& plan);
std::vector<std::string> explain(const PhysicalPlan& plan);

/// A plan as it was asked for, as it was rewritten, and the lines of how it runs.
struct ExplainedPlan {
  PlanPointer asked, optimized;
  std::string kind;  ///< of the run: "file job" or "steps"
  std::vector<std::string> physical;
};
std::string explain_all(const ExplainedPlan& plan);
std::string explain_json(const ExplainedPlan& plan);

}  // namespace vecframe::plan
