#include "plan/bind_embedders.h"

#include <map>
#include <string>
#include <utility>
#include <variant>

#include "plan/expression_walk.h"
#include "plan/rewrite.h"

namespace vecframe::plan {
namespace {

class Binder {
 public:
  Binder(const FindEmbedder& find, const RelationalSource& relational)
      : find_(find), relational_(relational) {}

  PlanPointer bind(const PlanPointer& plan) {
    if (plan == nullptr) return nullptr;
    PlanPointer input = bind(plan->input);
    if (const auto* column = std::get_if<WithColumn>(&plan->node)) {
      NodePointer expression = bind(column->expression);
      if (expression != column->expression)
        return with_column(std::move(input), {column->name, std::move(expression)}, relational_);
    } else if (const auto* select = std::get_if<Select>(&plan->node)) {
      Select bound;
      bool changed = false;
      for (const NamedExpression& one : select->columns) {
        bound.columns.push_back({one.name, bind(one.expression)});
        changed = changed || bound.columns.back().expression != one.expression;
      }
      if (changed) return select_any(std::move(input), std::move(bound), relational_);
    } else if (const auto* filter = std::get_if<Where>(&plan->node)) {
      NodePointer predicate = bind(filter->predicate);
      if (predicate != filter->predicate)
        return where(std::move(input), {std::move(predicate)}, relational_);
    } else if (const auto* both = std::get_if<Concat>(&plan->node)) {
      PlanPointer other = bind(both->other);
      if (other != both->other) return concat(std::move(input), {std::move(other)});
    }
    return over(plan, std::move(input), relational_);
  }

 private:
  NodePointer bind(const NodePointer& node) {
    NodePointer bound =
        with_arguments(node, [&](const NodePointer& argument) { return bind(argument); });
    const auto* call = std::get_if<EmbedCall>(&bound->value);
    if (call == nullptr || call->handle != nullptr) return bound;
    const auto [place, is_new] = found_.try_emplace(identity(*bound));
    if (is_new) place->second = find_(*call);
    if (place->second == nullptr) return bound;
    EmbedCall copy = *call;
    copy.handle = place->second;
    return std::make_shared<ExpressionNode>(ExpressionNode{std::move(copy)});
  }

  const FindEmbedder& find_;
  const RelationalSource& relational_;
  std::map<std::string, std::shared_ptr<const EmbedderHandle>> found_;  // by identity of the call
};

}  // namespace

PlanPointer bind_embedders(const PlanPointer& plan, const FindEmbedder& find,
                           const RelationalSource& relational) {
  return Binder(find, relational).bind(plan);
}

}  // namespace vecframe::plan
