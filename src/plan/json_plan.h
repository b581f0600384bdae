// Logical plans as JSON, and back: how a plan gets to a worker, into a file, through a pickle.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "plan/logical_plan.h"

namespace vecframe::plan {

/// Version of the form; a text of a later one is refused.
inline constexpr std::int64_t kPlanJsonVersion = 1;

/// How rows in memory travel: as bytes that hold their schema too, at most kMostMemoryBytes.
inline constexpr std::size_t kMostMemoryBytes = std::size_t{16} << 20;
using EncodeRows = std::function<std::string(const FromMemory&)>;
using DecodeRows = std::function<FromMemory(std::string_view bytes)>;

/// Throws RequestError for what has no such form, or one too large. Credentials are not part of a
/// plan, so none are in the text.
std::string plan_to_json(const LogicalPlan& plan, const EncodeRows& encode);

/// Checks the plan as building it would; reads no file. The text may come from strangers. Throws
/// RequestError.
PlanPointer plan_from_json(std::string_view text, const RelationalSource& relational,
                           const DecodeRows& decode);

/// One expression, under its name if it has one.
struct NamedJson {
  std::shared_ptr<const ExpressionNode> node;
  std::optional<std::string> name;
};
std::string expression_to_json_text(const NamedJson& expression);
NamedJson expression_from_json_text(std::string_view text);

}  // namespace vecframe::plan
