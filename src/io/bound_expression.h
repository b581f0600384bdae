// Expressions with the types of their values and the functions that compute them.
#pragma once

#include <arrow/compute/function.h>
#include <arrow/datum.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "columnar/morsel.h"
#include "columnar/scalar_expression.h"
#include "columnar/schema.h"

namespace vecframe::io {

/// A node of a tree whose argument types are what its function takes.
struct BoundExpression {
  std::shared_ptr<arrow::DataType> type;
  int column = -1;       ///< of the schema, or
  arrow::Datum literal;  ///< a scalar, or
  std::string function;  ///< one of the library
  std::shared_ptr<arrow::compute::FunctionOptions> options;
  std::vector<BoundExpression> arguments;
  std::string text;  ///< as a user would write it
};

/// Throws RequestError as storage::Relational::type_of says.
BoundExpression bind(const columnar::ScalarExpression& expression, const columnar::Schema& schema);

/// An array of as many values as the morsel has rows, or one scalar for all. Throws RunError.
arrow::Datum evaluate(const BoundExpression& expression, const columnar::Morsel& morsel);

/// The node's result as another type. Throws RequestError where there is no such conversion.
BoundExpression convert(BoundExpression expression, const std::shared_ptr<arrow::DataType>& type);

/// A call whose type is what the function gives. Throws RequestError with `complaint` where it
/// does not take these arguments.
BoundExpression call(std::string function, std::vector<BoundExpression> arguments,
                     std::shared_ptr<arrow::compute::FunctionOptions> options, std::string text,
                     const std::string& complaint);

}  // namespace vecframe::io
