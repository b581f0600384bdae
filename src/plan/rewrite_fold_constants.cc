#include <vecframe/error.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "columnar/array_view.h"
#include "plan/expression_split.h"
#include "plan/expression_walk.h"
#include "plan/rewrite.h"

namespace vecframe::plan {
namespace {

using columnar::Literal;

NodePointer make_literal(Literal value) {
  return std::make_shared<ExpressionNode>(ExpressionNode{LiteralValue{std::move(value)}});
}

std::optional<bool> truth_of(const ExpressionNode& node) {
  const auto* literal = std::get_if<LiteralValue>(&node.value);
  if (literal == nullptr) return std::nullopt;
  const bool* truth = std::get_if<bool>(&literal->value);
  return truth == nullptr ? std::nullopt : std::optional(*truth);
}

// The one value of an array, of the types that a literal can have. Null is left out: as a literal
// it would have no type.
std::optional<Literal> value_of(const ArrowArray& array, const columnar::DataType& type) {
  if (!columnar::is_valid(array, 0) || type.foreign) return std::nullopt;
  const void* values = array.n_buffers > 1 ? array.buffers[1] : nullptr;
  switch (type.kind) {
    case columnar::TypeKind::kBoolean:
      return (static_cast<const std::uint8_t*>(values)[array.offset / 8] >> (array.offset % 8) &
              1) != 0;
    case columnar::TypeKind::kInt64:
      return static_cast<const std::int64_t*>(values)[array.offset];
    case columnar::TypeKind::kFloat64:
      return static_cast<const double*>(values)[array.offset];
    case columnar::TypeKind::kString:
      return std::string(columnar::string_at(array, 0));
    default:
      return std::nullopt;
  }
}

class Folding {
 public:
  explicit Folding(const RelationalSource& relational) : relational_(relational) {}

  PlanPointer fold(const PlanPointer& plan) const {
    PlanPointer input = plan->input ? fold(plan->input) : nullptr;
    if (const auto* node = std::get_if<WithColumn>(&plan->node)) {
      if (NodePointer folded = fold(node->expression); folded != node->expression)
        return with_column(std::move(input), {node->name, std::move(folded)}, relational_);
    } else if (const auto* columns = std::get_if<Select>(&plan->node)) {
      Select copy = *columns;
      bool changed = false;
      for (NamedExpression& column : copy.columns) {
        NodePointer folded = fold(column.expression);
        changed |= folded != column.expression;
        column.expression = std::move(folded);
      }
      if (changed) return select(std::move(input), std::move(copy), relational_);
    } else if (const auto* condition = std::get_if<Where>(&plan->node)) {
      return fold(*condition, plan, std::move(input));
    } else if (const auto* both = std::get_if<Concat>(&plan->node)) {
      const PlanPointer other = fold(both->other);
      if (other != both->other) return concat(std::move(input), {other});
    }
    return over(plan, std::move(input), relational_);
  }

 private:
  PlanPointer fold(const Where& node, const PlanPointer& plan, PlanPointer input) const {
    NodePointer folded = fold(node.predicate);
    if (const auto truth = truth_of(*folded)) return *truth ? input : limit(std::move(input), {0});
    if (folded == node.predicate) return over(plan, std::move(input), relational_);
    return where(std::move(input), {std::move(folded)}, relational_);
  }

  NodePointer fold(const NodePointer& node) const {
    const NodePointer inner =
        with_arguments(node, [&](const NodePointer& argument) { return fold(argument); });
    const auto* call = std::get_if<FunctionCall>(&inner->value);
    if (call == nullptr || !is_scalar(*inner)) return inner;
    if (call->name == "and" || call->name == "or") return fold_logic(inner, *call);
    const bool constant = std::all_of(
        call->arguments.begin(), call->arguments.end(), [](const NodePointer& argument) {
          return std::holds_alternative<LiteralValue>(argument->value);
        });
    return constant ? evaluate(inner) : inner;
  }

  // Three-valued logic: `true & x` is x and `false & x` is false for any x, null too.
  static NodePointer fold_logic(const NodePointer& node, const FunctionCall& call) {
    const bool neutral = call.name == "and";
    for (std::size_t i = 0; i < 2 && call.arguments.size() == 2; ++i)
      if (const auto truth = truth_of(*call.arguments[i]))
        return *truth == neutral ? call.arguments[1 - i] : call.arguments[i];
    return node;
  }

  NodePointer evaluate(const NodePointer& node) const {
    try {
      const columnar::ScalarExpression scalar = split(node).scalar;
      const columnar::Morsel row{{}, 1};
      const auto array = relational_().evaluate(scalar, {}, row);
      std::optional<Literal> value = value_of(*array, relational_().type_of(scalar, {}));
      return value ? make_literal(std::move(*value)) : node;
    } catch (const RunError&) {
      return node;  // it fails when it runs, if it runs
    }
  }

  const RelationalSource& relational_;
};

}  // namespace

PlanPointer fold_constants(const PlanPointer& plan, const RelationalSource& relational) {
  return relational ? Folding(relational).fold(plan) : plan;
}

}  // namespace vecframe::plan
