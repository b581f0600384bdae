// A column of embeddings by a provider's embedder: the part of a map step that does not run inside
// its workers.
//
// Rows are prepared on the map's threads, then gathered into batches of exactly the size that the
// call or the provider says, across the morsels of the input. Sync embedders are called by a thread
// of their own each; an async one has so many requests in flight. Rows leave in input order, or as
// they are done.
#pragma once

#include <memory>

#include "exec/operator.h"
#include "exec/step_context.h"
#include "plan/steps.h"

namespace vecframe::exec {

/// Whether the column is an embedding by a provider's embedder.
bool is_of_provider(const plan::ComputedColumn& column);

/// Adds the column, or the embedding and its error column, behind those of the input. Waits until
/// the embedders are made. Throws RequestError, RunError, Cancelled.
std::unique_ptr<Operator> make_embed_rows(std::unique_ptr<Operator> input,
                                          const columnar::Schema& input_schema,
                                          const plan::ComputedColumn& column,
                                          const StepContext& context, bool ordered = true);

}  // namespace vecframe::exec
