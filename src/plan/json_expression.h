// Expressions as JSON, and back.
#pragma once

#include "plan/expression_node.h"
#include "plan/json_text.h"

namespace vecframe::plan {

/// {"col": name}, {"lit": value}, {"call": name, "arguments": [...], "options": {...}} or
/// {"embed": "image" or "text", ...}. An embedding has the facts that its session resolved, and no
/// secrets.
Json expression_to_json(const ExpressionNode& node);

/// Throws RequestError for what is no expression. Types are checked when it meets a plan.
std::shared_ptr<const ExpressionNode> expression_from_json(const Json& json);

}  // namespace vecframe::plan
