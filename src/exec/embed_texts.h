// A column of embeddings of texts by a model of this process.
#pragma once

#include <memory>

#include "columnar/schema.h"
#include "exec/embed_column.h"
#include "exec/step_context.h"
#include "plan/steps.h"

namespace vecframe::exec {

/// Loads the model.
std::unique_ptr<ColumnPlan> plan_text_embedding(const plan::ComputedColumn& column,
                                                const columnar::Schema& input,
                                                const StepContext& context);

}  // namespace vecframe::exec
