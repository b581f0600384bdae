// Computes columns of pictures, bytes and embeddings on worker threads.
//
// Each worker takes the next few rows of the input, computes all columns of the step for them, and
// takes the next; results leave in input order through a bounded window. Pictures in flight share
// one byte budget.
#pragma once

#include <memory>

#include "exec/operator.h"
#include "exec/step_context.h"
#include "plan/steps.h"

namespace vecframe::exec {

/// Of columns that no provider computes.
std::unique_ptr<Operator> make_parallel_map(std::unique_ptr<Operator> input,
                                            const columnar::Schema& input_schema,
                                            const plan::MapStep& step, const StepContext& context);

}  // namespace vecframe::exec
