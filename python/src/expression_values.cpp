#include "expression_values.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <vecframe/error.h>

#include <cstdint>
#include <utility>

namespace nb = nanobind;
using namespace nb::literals;

namespace vecframe::python {
namespace {

// A binary operator, and the one with its sides exchanged.
void bind_operator(nb::class_<Expression>& expression, const char* name, const char* function,
                   const char* reflected = nullptr) {
  const std::string called = function;
  expression.def(
      name,
      [called](const Expression& a, nb::object b) {
        return call(called, {a, to_expression(b)});
      },
      "other"_a.none(), nb::is_operator());
  if (reflected == nullptr) return;
  expression.def(
      reflected,
      [called](const Expression& a, nb::object b) {
        return call(called, {to_expression(b), a});
      },
      "other"_a.none(), nb::is_operator());
}

void bind_method(nb::class_<Expression>& expression, const char* name, const char* function,
                 const char* docstring) {
  const std::string called = function;
  expression.def(
      name, [called](const Expression& a) { return call(called, {a}); }, docstring);
}

// Of vectors or hashes: another column, a sequence of numbers, or the bytes of a hash.
void bind_measure(nb::class_<Expression>& expression, const char* name) {
  const std::string called = name;
  const std::string signature = "def " + called + "(self, other: object) -> Expression";
  expression.def(
      name,
      [called](const Expression& a, nb::object b) {
        if (nb::isinstance<nb::bytes>(b)) b = nb::list(b);
        return call(called, {a, to_expression(b)});
      },
      "other"_a, nb::sig(signature.c_str()), "As the function of that name.");
}

}  // namespace

Value to_value(nb::handle object) {
  if (object.is_none()) return std::monostate();
  // Numbers and vectors of numpy, which claim to be whole numbers too.
  if (nb::hasattr(object, "ndim") && nb::hasattr(object, "tolist") &&
      nb::cast<int>(object.attr("ndim")) < 2)
    return to_value(object.attr("tolist")());
  if (nb::isinstance<nb::bool_>(object)) return nb::cast<bool>(object);
  if (nb::isinstance<nb::int_>(object) || nb::hasattr(object, "__index__")) {
    std::int64_t number = 0;
    if (nb::try_cast(nb::int_(nb::borrow(object)), number)) return number;
    throw RequestError("lit: a number beyond 64 bits; give a smaller one or a float");
  }
  if (nb::isinstance<nb::float_>(object)) return nb::cast<double>(object);
  if (nb::isinstance<nb::str>(object)) return nb::cast<std::string>(object);
  std::vector<double> vector;
  if (nb::try_cast(object, vector)) return vector;
  throw RequestError("lit: a value of type " +
                     nb::cast<std::string>(nb::str(object.type().attr("__name__"))) +
                     "; give None, a bool, a number, a str or a sequence of numbers");
}

nb::object from_value(const Value& value) {
  struct Visitor {
    nb::object operator()(std::monostate) const { return nb::none(); }
    nb::object operator()(bool truth) const { return nb::cast(truth); }
    nb::object operator()(std::int64_t number) const { return nb::cast(number); }
    nb::object operator()(double number) const { return nb::cast(number); }
    nb::object operator()(const std::string& text) const { return nb::cast(text); }
    nb::object operator()(const std::vector<double>& vector) const { return nb::cast(vector); }
  };
  return std::visit(Visitor(), value);
}

Expression to_literal(nb::object value) { return lit(to_value(value)); }

Expression to_expression(nb::handle object) {
  if (nb::isinstance<Expression>(object)) return nb::cast<Expression>(object);
  return lit(to_value(object));
}

Expression call_function(const std::string& function, const nb::list& arguments,
                         const nb::dict& options) {
  std::vector<Expression> expressions;
  for (nb::handle argument : arguments) expressions.push_back(to_expression(argument));
  std::map<std::string, Value> values;
  for (const auto& [name, value] : options)
    values.emplace(nb::cast<std::string>(name), to_value(value));
  return call(function, std::move(expressions), std::move(values));
}

void bind_expression_operators(nb::class_<Expression>& expression) {
  bind_operator(expression, "__eq__", "equal");
  bind_operator(expression, "__ne__", "not_equal");
  bind_operator(expression, "__lt__", "less");
  bind_operator(expression, "__le__", "less_equal");
  bind_operator(expression, "__gt__", "greater");
  bind_operator(expression, "__ge__", "greater_equal");
  bind_operator(expression, "__add__", "add", "__radd__");
  bind_operator(expression, "__sub__", "subtract", "__rsub__");
  bind_operator(expression, "__mul__", "multiply", "__rmul__");
  bind_operator(expression, "__truediv__", "divide", "__rtruediv__");
  bind_operator(expression, "__and__", "and", "__rand__");
  bind_operator(expression, "__or__", "or", "__ror__");
  expression.def("__invert__", [](const Expression& a) { return call("not", {a}); });
  expression.def("__neg__", [](const Expression& a) { return call("negate", {a}); });
  expression.def("__hash__",
                 [](const Expression& a) { return std::hash<const void*>()(a.node().get()); });
  expression.def("__bool__", [](const Expression& a) -> bool {
    throw RequestError(a.to_string() +
                       " has no truth value; combine expressions with &, | and ~, and put each "
                       "comparison in parentheses");
  });
  bind_method(expression, "is_null", "is_null", "Whether the value is null.");
  bind_method(expression, "not_null", "not_null", "Whether the value is not null.");
  bind_method(expression, "lower", "lower", "The text in lower case.");
  bind_method(expression, "upper", "upper", "The text in upper case.");
  bind_method(expression, "length", "length", "Code points of the text.");
  for (const char* name : {"contains", "starts_with", "ends_with"})
    bind_operator(expression, name, name);
  bind_image_methods(expression);
  for (const char* name : {"cosine_distance", "cosine_similarity", "dot_product",
                           "euclidean_distance", "hamming_distance"})
    bind_measure(expression, name);
  bind_method(expression, "l2_normalize", "l2_normalize",
              "Each vector divided by its length; a zero vector stays zero.");
  expression.def(
      "is_in",
      [](const Expression& a, const nb::list& values) {
        std::vector<Expression> arguments{a};
        for (nb::handle value : values) arguments.push_back(to_expression(value));
        return call("is_in", std::move(arguments));
      },
      "values"_a, "Whether the value is one of these.",
      nb::sig("def is_in(self, values: list[object]) -> Expression"));
}

}  // namespace vecframe::python
