// Embedders of providers for a plan that lost them: one that came as a text from another process.
#pragma once

#include <functional>
#include <memory>

#include "plan/logical_plan.h"

namespace vecframe::plan {

/// Makes a call's embedder known again; null for a call that needs none. Throws RequestError.
using FindEmbedder = std::function<std::shared_ptr<const EmbedderHandle>(const EmbedCall& call)>;

/// The plan with a handle in each call that had none and for which `find` has one; the plan itself
/// where nothing changes. Equal calls share a handle, so they stay equal.
PlanPointer bind_embedders(const PlanPointer& plan, const FindEmbedder& find,
                           const RelationalSource& relational);

}  // namespace vecframe::plan
