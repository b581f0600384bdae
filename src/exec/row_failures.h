// What a failed row means for the run.
#pragma once

#include <cstdint>

#include "exec/embedding_columns.h"
#include "exec/step_context.h"

namespace vecframe::exec {

/// Counts and logs the failure of a row of a chunk that begins at `first_row`. Throws RunError if
/// it ends the run. Thread-safe.
void report_failure(const StepContext& context, std::int64_t first_row, const RowFailure& failure);

}  // namespace vecframe::exec
