// Expressions over the values of one row that a table engine evaluates: comparisons, arithmetic,
// logic. Pure data.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace vecframe::columnar {

/// A vector is for functions of vectors; table engines do not take it.
using Literal =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<double>>;

struct ScalarExpression {
  enum class Kind : std::uint8_t { kColumn, kLiteral, kCall };
  Kind kind = Kind::kColumn;
  std::string name;                         ///< of the column, or of the function
  Literal value;                            ///< kLiteral
  std::vector<ScalarExpression> arguments;  ///< kCall

  friend bool operator==(const ScalarExpression&, const ScalarExpression&) = default;
};

/// The sign that users write for a function of two arguments, such as "==" for "equal"; empty if
/// it has none.
std::string_view operator_sign(std::string_view function);

}  // namespace vecframe::columnar
