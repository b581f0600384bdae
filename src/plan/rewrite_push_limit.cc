#include <algorithm>
#include <utility>

#include "plan/rewrite.h"

namespace vecframe::plan {
namespace {

// The first rows of `input`, cut off as early as possible.
PlanPointer insert(const PlanPointer& input, Limit node, const RelationalSource& relational) {
  if (std::holds_alternative<WithColumn>(input->node) ||
      std::holds_alternative<Select>(input->node))
    return over(input, insert(input->input, node, relational), relational);
  if (const auto* below = std::get_if<Limit>(&input->node))
    return insert(input->input, {std::min(node.count, below->count)}, relational);
  if (const auto* both = std::get_if<Concat>(&input->node)) {
    // Neither side gives more, and together no more either.
    PlanPointer first = insert(input->input, node, relational);
    return limit(concat(std::move(first), {insert(both->other, node, relational)}), node);
  }
  return limit(input, node);
}

}  // namespace

PlanPointer push_limit(const PlanPointer& plan, const RelationalSource& relational) {
  PlanPointer input = plan->input ? push_limit(plan->input, relational) : nullptr;
  if (const auto* node = std::get_if<Limit>(&plan->node)) return insert(input, *node, relational);
  if (const auto* node = std::get_if<Concat>(&plan->node)) {
    const PlanPointer other = push_limit(node->other, relational);
    if (other != node->other) return concat(std::move(input), {other});
  }
  return over(plan, std::move(input), relational);
}

}  // namespace vecframe::plan
