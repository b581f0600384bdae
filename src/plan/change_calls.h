// A plan with some of its calls of embed_image() and embed_text() exchanged.
#pragma once

#include <functional>
#include <optional>

#include "plan/logical_plan.h"

namespace vecframe::plan {

/// The call in the place of another; nothing where it stays.
using ChangeCall = std::function<std::optional<EmbedCall>(const EmbedCall& call)>;

/// Asks for every occurrence of a call, in an order that the plan alone decides: a copy of the
/// plan, also one by way of its JSON, asks in the same order. The plan itself where nothing
/// changes.
PlanPointer change_calls(const PlanPointer& plan, const ChangeCall& change,
                         const RelationalSource& relational);

}  // namespace vecframe::plan
