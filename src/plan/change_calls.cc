#include "plan/change_calls.h"

#include <utility>
#include <variant>

#include "plan/expression_walk.h"
#include "plan/rewrite.h"

namespace vecframe::plan {
namespace {

class Changer {
 public:
  Changer(const ChangeCall& change, const RelationalSource& relational)
      : change_(change), relational_(relational) {}

  PlanPointer apply(const PlanPointer& plan) {
    if (plan == nullptr) return nullptr;
    PlanPointer input = apply(plan->input);
    if (const auto* column = std::get_if<WithColumn>(&plan->node)) {
      NodePointer expression = apply(column->expression);
      if (expression != column->expression)
        return with_column(std::move(input), {column->name, std::move(expression)}, relational_);
    } else if (const auto* select = std::get_if<Select>(&plan->node)) {
      Select changed;
      bool differs = false;
      for (const NamedExpression& one : select->columns) {
        changed.columns.push_back({one.name, apply(one.expression)});
        differs = differs || changed.columns.back().expression != one.expression;
      }
      if (differs) return select_any(std::move(input), std::move(changed), relational_);
    } else if (const auto* filter = std::get_if<Where>(&plan->node)) {
      NodePointer predicate = apply(filter->predicate);
      if (predicate != filter->predicate)
        return where(std::move(input), {std::move(predicate)}, relational_);
    } else if (const auto* both = std::get_if<Concat>(&plan->node)) {
      PlanPointer other = apply(both->other);
      if (other != both->other) return concat(std::move(input), {std::move(other)});
    }
    return over(plan, std::move(input), relational_);
  }

 private:
  NodePointer apply(const NodePointer& node) {
    NodePointer changed =
        with_arguments(node, [&](const NodePointer& argument) { return apply(argument); });
    const auto* call = std::get_if<EmbedCall>(&changed->value);
    if (call == nullptr) return changed;
    std::optional<EmbedCall> other = change_(*call);
    if (!other) return changed;
    return std::make_shared<ExpressionNode>(ExpressionNode{*std::move(other)});
  }

  const ChangeCall& change_;
  const RelationalSource& relational_;
};

}  // namespace

PlanPointer change_calls(const PlanPointer& plan, const ChangeCall& change,
                         const RelationalSource& relational) {
  return Changer(change, relational).apply(plan);
}

}  // namespace vecframe::plan
