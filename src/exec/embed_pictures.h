// A column of embeddings of pictures by a model of this process.
#pragma once

#include <memory>
#include <string>

#include "columnar/schema.h"
#include "exec/embed_column.h"
#include "exec/step_context.h"
#include "plan/steps.h"

namespace vecframe::exec {

/// How pictures come to the embedding of this call; see VectorCache.
std::string preparation_of(const plan::EmbedCall& call);

/// Loads the model.
std::unique_ptr<ColumnPlan> plan_picture_embedding(const plan::ComputedColumn& column,
                                                   const columnar::Schema& input,
                                                   const StepContext& context);

}  // namespace vecframe::exec
