#include <utility>

#include "plan/expression_walk.h"
#include "plan/rewrite.h"

namespace vecframe::plan {
namespace {

class Pushing {
 public:
  explicit Pushing(const RelationalSource& relational) : relational_(relational) {}

  PlanPointer push(const PlanPointer& plan) const {
    PlanPointer input = plan->input ? push(plan->input) : nullptr;
    if (const auto* node = std::get_if<Where>(&plan->node))
      return insert_all(plan, std::move(input), conjuncts_of(node->predicate));
    if (const auto* node = std::get_if<DropNulls>(&plan->node)) {
      std::vector<NodePointer> tests;
      for (const std::string& column : node->columns)
        tests.push_back(make_call("not_null", {make_reference(column)}));
      return insert_all(plan, std::move(input), tests);
    }
    if (const auto* node = std::get_if<Concat>(&plan->node)) {
      const PlanPointer other = push(node->other);
      if (other != node->other) return concat(std::move(input), {other});
    }
    return over(plan, std::move(input), relational_);
  }

 private:
  // Those that stay where they were stay together: one pass over the rows, and none of them sees
  // fewer rows than it did.
  PlanPointer insert_all(const PlanPointer& plan, PlanPointer input,
                         const std::vector<NodePointer>& conditions) const {
    std::vector<NodePointer> staying;
    for (const NodePointer& condition : conditions) {
      PlanPointer moved = insert(input, condition);
      if (is_on_top(*moved, condition)) {
        staying.push_back(condition);
      } else {
        input = std::move(moved);
      }
    }
    if (staying.empty()) return input;
    if (staying.size() == conditions.size()) return over(plan, std::move(input), relational_);
    return where(std::move(input), {conjunction_of(staying)}, relational_);
  }

  static bool is_on_top(const LogicalPlan& plan, const NodePointer& condition) {
    const auto* node = std::get_if<Where>(&plan.node);
    return node != nullptr && node->predicate == condition;
  }

  // The rows of `input` for which the condition holds, decided as early as possible.
  PlanPointer insert(const PlanPointer& input, const NodePointer& condition) const {
    if (const auto* node = std::get_if<WithColumn>(&input->node)) {
      if (!depends_on(*condition, *node))
        return over(input, insert(input->input, condition), relational_);
    } else if (const auto* columns = std::get_if<Select>(&input->node)) {
      if (const NodePointer below = below_select(condition, *columns))
        return over(input, insert(input->input, below), relational_);
    } else if (std::holds_alternative<Sort>(input->node)) {
      return over(input, insert(input->input, condition), relational_);
    } else if (const auto* both = std::get_if<Concat>(&input->node)) {
      return concat(insert(input->input, condition), {insert(both->other, condition)});
    } else if (std::holds_alternative<Where>(input->node) && !may_fail(*condition)) {
      PlanPointer moved = insert(input->input, condition);
      if (!is_on_top(*moved, condition)) return over(input, std::move(moved), relational_);
    }
    return where(input, {condition}, relational_);
  }

  static bool depends_on(const ExpressionNode& condition, const WithColumn& node) {
    if (refers_to(condition, node.name)) return true;
    const auto* embed = std::get_if<EmbedCall>(&node.expression->value);
    return embed != nullptr && embed->error_column && refers_to(condition, *embed->error_column);
  }

  // The condition over the input of the node; null if it needs what only the node computes.
  static NodePointer below_select(const NodePointer& condition, const Select& node) {
    bool only_renamed = true;
    const NodePointer below = replace_columns(condition, [&](const std::string& name) {
      for (const NamedExpression& column : node.columns)
        if (column.name == name && reference_name(*column.expression) != nullptr)
          return column.expression;
      only_renamed = false;
      return make_reference(name);
    });
    return only_renamed ? below : nullptr;
  }

  const RelationalSource& relational_;
};

}  // namespace

PlanPointer push_where(const PlanPointer& plan, const RelationalSource& relational) {
  return Pushing(relational).push(plan);
}

}  // namespace vecframe::plan
