#include "io/show_expression.h"

#include <fmt/format.h>

#include <string_view>

#include "base/shown_text.h"

namespace vecframe::io {
namespace {

using columnar::ScalarExpression;

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : shown_text(text, 60)) {
    if (c == '"' || c == '\\') result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result + "\"";
}

std::string show_literal(const columnar::Literal& value) {
  if (const auto* truth = std::get_if<bool>(&value)) return *truth ? "True" : "False";
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *integer);
  if (const auto* number = std::get_if<double>(&value)) return fmt::format("{}", *number);
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  if (const auto* vector = std::get_if<std::vector<double>>(&value))
    return fmt::format("[{} numbers]", vector->size());
  return "None";
}

std::string_view operator_of(const ScalarExpression& call) {
  if (call.kind != ScalarExpression::Kind::kCall || call.arguments.size() != 2) return {};
  return columnar::operator_sign(call.name);
}

// In parentheses where it stands beside an operator.
std::string show_operand(const ScalarExpression& expression) {
  const bool prefix = expression.kind == ScalarExpression::Kind::kCall &&
                      (expression.name == "negate" || expression.name == "not");
  return operator_of(expression).empty() && !prefix ? show(expression)
                                                    : "(" + show(expression) + ")";
}

}  // namespace

std::string show(const ScalarExpression& expression) {
  if (expression.kind == ScalarExpression::Kind::kColumn)
    return "col(" + quoted(expression.name) + ")";
  if (expression.kind == ScalarExpression::Kind::kLiteral) return show_literal(expression.value);
  const auto& arguments = expression.arguments;
  if (const auto symbol = operator_of(expression); !symbol.empty())
    return fmt::format("{} {} {}", show_operand(arguments[0]), symbol, show_operand(arguments[1]));
  if (arguments.empty()) return expression.name + "()";
  if (arguments.size() == 1 && expression.name == "negate") return "-" + show_operand(arguments[0]);
  if (arguments.size() == 1 && expression.name == "not") return "~" + show_operand(arguments[0]);
  std::string rest;
  for (std::size_t i = 1; i < arguments.size() && i <= 5; ++i)
    rest += (i == 1 ? "" : ", ") + show(arguments[i]);
  if (arguments.size() > 6) rest += ", ...";
  if (expression.name == "is_in") rest = "[" + rest + "]";
  return fmt::format("{}.{}({})", show_operand(arguments[0]), expression.name, rest);
}

}  // namespace vecframe::io
