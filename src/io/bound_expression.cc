#include "io/bound_expression.h"

#include <arrow/array/util.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/memory_pool.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <vecframe/error.h>

#include <algorithm>
#include <utility>

#include "io/arrow_morsel.h"

namespace vecframe::io {
namespace {

arrow::compute::ExecContext context() {
  arrow::compute::ExecContext context(arrow::system_memory_pool());
  context.set_use_threads(false);
  return context;
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

}  // namespace

BoundExpression convert(BoundExpression expression, const std::shared_ptr<arrow::DataType>& type) {
  if (expression.type->Equals(*type)) return expression;
  const auto options =
      std::make_shared<arrow::compute::CastOptions>(arrow::compute::CastOptions::Safe(type));
  // Integers beyond 2^53 become the nearest number.
  options->allow_float_truncate = arrow::is_floating(type->id());
  const std::string complaint = io::type_of(*expression.type).to_string() + " cannot become " +
                                io::type_of(*type).to_string();
  if (expression.literal.kind() == arrow::Datum::NONE)
    return call("cast", {expression}, options, expression.text, complaint);
  auto execution = context();
  auto converted = arrow::compute::Cast(expression.literal, *options, &execution);
  if (!converted.ok())
    throw RequestError(expression.text + " cannot be read as " + io::type_of(*type).to_string() +
                       ": " + one_line(converted.status().message()));
  expression.literal = *std::move(converted);
  expression.type = type;
  return expression;
}

BoundExpression call(std::string function, std::vector<BoundExpression> arguments,
                     std::shared_ptr<arrow::compute::FunctionOptions> options, std::string text,
                     const std::string& complaint) {
  // What the function makes of no rows tells its type.
  std::vector<arrow::Datum> none;
  for (const BoundExpression& argument : arguments)
    none.push_back(check(arrow::MakeEmptyArray(argument.type), "describing a type"));
  auto execution = context();
  const auto result = arrow::compute::CallFunction(function, none, options.get(), &execution);
  if (!result.ok()) throw RequestError(text + ": " + complaint);
  BoundExpression bound;
  bound.type = result->type();
  bound.function = std::move(function);
  bound.options = std::move(options);
  bound.arguments = std::move(arguments);
  bound.text = std::move(text);
  return bound;
}

arrow::Datum evaluate(const BoundExpression& expression, const columnar::Morsel& morsel) {
  if (expression.column >= 0)
    return import_array(morsel.columns[static_cast<std::size_t>(expression.column)],
                        expression.type);
  if (expression.function.empty()) return expression.literal;
  std::vector<arrow::Datum> values;
  for (const BoundExpression& argument : expression.arguments)
    values.push_back(evaluate(argument, morsel));
  auto execution = context();
  auto result = arrow::compute::CallFunction(expression.function, values, expression.options.get(),
                                             &execution);
  if (!result.ok()) throw RunError(expression.text + ": " + one_line(result.status().message()));
  return *std::move(result);
}

}  // namespace vecframe::io
