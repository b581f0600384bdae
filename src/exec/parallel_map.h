// Computes columns of pictures, bytes and embeddings on worker threads.
//
// Each worker takes the next few rows of the input, computes all columns of the step for them, and
// takes the next; results leave in input order, or as they are done, through a bounded window.
// Pictures in flight share one byte budget. Where the user says how many rows may be read, decoded
// or embedded at a time, there are as many workers as that takes, and gates between the stages.
#pragma once

#include <memory>

#include "exec/operator.h"
#include "exec/step_context.h"
#include "plan/steps.h"

namespace vecframe::exec {

/// Of columns that no provider computes.
std::unique_ptr<Operator> make_parallel_map(std::unique_ptr<Operator> input,
                                            const columnar::Schema& input_schema,
                                            const plan::MapStep& step, const StepContext& context,
                                            bool ordered = true);

}  // namespace vecframe::exec
