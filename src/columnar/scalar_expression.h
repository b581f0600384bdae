// Expressions over the values of one row that a table engine evaluates: comparisons, arithmetic,
// logic. Pure data.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace vecframe::columnar {

using Literal = std::variant<std::monostate, bool, std::int64_t, double, std::string>;

struct ScalarExpression {
  enum class Kind : std::uint8_t { kColumn, kLiteral, kCall };
  Kind kind = Kind::kColumn;
  std::string name;                         ///< of the column, or of the function
  Literal value;                            ///< kLiteral
  std::vector<ScalarExpression> arguments;  ///< kCall

  friend bool operator==(const ScalarExpression&, const ScalarExpression&) = default;
};

}  // namespace vecframe::columnar
