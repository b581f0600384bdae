// Values and operators of expressions, from Python's.
#pragma once

#include <nanobind/nanobind.h>
#include <vecframe/functions.h>

#include <map>
#include <string>
#include <vector>

namespace vecframe::python {

/// None, bool, int, float, str or a sequence of numbers. Throws RequestError for anything else.
Value to_value(nanobind::handle object);
nanobind::object from_value(const Value& value);
Expression to_literal(nanobind::object value);
/// An expression itself, or a literal of any other value.
Expression to_expression(nanobind::handle object);
/// A call by name; arguments that are no expressions become literals.
Expression call_function(const std::string& function, const nanobind::list& arguments,
                         const nanobind::dict& options);

void bind_expression_operators(nanobind::class_<Expression>& expression);
/// Functions of paths, bytes and pictures, as methods.
void bind_image_methods(nanobind::class_<Expression>& expression);

}  // namespace vecframe::python
