// Expressions as a user would write them.
#pragma once

#include <string>

#include "columnar/scalar_expression.h"

namespace vecframe::io {

/// `(col("width") + 1) > "a"`, `col("name").starts_with("x")`.
std::string show(const columnar::ScalarExpression& expression);

}  // namespace vecframe::io
