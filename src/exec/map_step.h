// A map step: what this library computes on the map's workers, then the embeddings of providers.
#pragma once

#include <memory>

#include "exec/operator.h"
#include "exec/step_context.h"
#include "plan/steps.h"

namespace vecframe::exec {

/// The columns of the step stand behind those of the input, in their order. Rows come in the order
/// of the input if they are to be `ordered`, else as they are done.
std::unique_ptr<Operator> open_map(std::unique_ptr<Operator> input,
                                   const columnar::Schema& input_schema, const plan::MapStep& step,
                                   const StepContext& context, bool ordered = true);

}  // namespace vecframe::exec
