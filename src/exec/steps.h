// Runs the steps of a plan as a chain of operators.
#pragma once

#include <memory>

#include "exec/operator.h"
#include "exec/step_context.h"
#include "plan/steps.h"

namespace vecframe::exec {

/// `plan` and `context` outlive the operator. Loads the models that the plan names.
std::unique_ptr<Operator> open_steps(const plan::StepPlan& plan, const StepContext& context);

}  // namespace vecframe::exec
