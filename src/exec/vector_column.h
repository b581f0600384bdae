// Functions of vectors and hashes, a column at a time.
#pragma once

#include <memory>

#include "columnar/morsel.h"
#include "columnar/schema.h"
#include "exec/operator.h"
#include "plan/steps.h"

namespace vecframe::exec {

/// Adds the column of the step to each morsel. `input_schema` and `step` outlive the operator.
std::unique_ptr<Operator> make_vector_column(std::unique_ptr<Operator> input,
                                             const columnar::Schema& input_schema,
                                             const plan::VectorStep& step);

}  // namespace vecframe::exec
