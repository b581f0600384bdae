#include "plan/expression_split.h"

#include "plan/function_table.h"

namespace vecframe::plan {
namespace {

using columnar::ScalarExpression;

ScalarExpression convert(const std::shared_ptr<const ExpressionNode>& node,
                         std::vector<OwnPart>& own) {
  ScalarExpression scalar;
  if (const auto* column = std::get_if<ColumnReference>(&node->value)) {
    scalar.name = column->name;
  } else if (const auto* literal = std::get_if<LiteralValue>(&node->value)) {
    scalar.kind = ScalarExpression::Kind::kLiteral;
    scalar.value = literal->value;
  } else if (is_scalar(*node)) {
    const auto& call = std::get<FunctionCall>(node->value);
    scalar.kind = ScalarExpression::Kind::kCall;
    scalar.name = call.name;
    for (const auto& argument : call.arguments) scalar.arguments.push_back(convert(argument, own));
  } else {
    // No user can name a column so: the text of the expression, in a control character.
    scalar.name = "\x01" + identity(*node);
    own.push_back({scalar.name, node});
  }
  return scalar;
}

}  // namespace

bool is_scalar(const ExpressionNode& node) {
  if (std::holds_alternative<LiteralValue>(node.value)) return true;
  const auto* call = std::get_if<FunctionCall>(&node.value);
  return call != nullptr && is_relational(call->name);
}

SplitExpression split(const std::shared_ptr<const ExpressionNode>& node) {
  SplitExpression result;
  result.scalar = convert(node, result.own);
  return result;
}

}  // namespace vecframe::plan
