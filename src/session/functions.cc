// The public functions of columns: nodes of expressions.

#include <vecframe/functions.h>

#include <utility>

#include "plan/function_table.h"

namespace vecframe {
namespace {

Expression make(plan::ExpressionNode node) {
  return Expression(std::make_shared<plan::ExpressionNode>(std::move(node)));
}

}  // namespace

Expression lit(Value value) { return make({plan::LiteralValue{std::move(value)}}); }

Expression call(const std::string& function, std::vector<Expression> arguments,
                std::map<std::string, Value> options) {
  plan::FunctionCall node{function, {}, std::move(options)};
  for (const Expression& argument : arguments) node.arguments.push_back(argument.node());
  return make({plan::with_defaults(std::move(node))});
}

Expression download(const Expression& location, const std::string& on_error) {
  return call("download", {location}, {{"on_error", on_error}});
}

Expression decode_image(const Expression& bytes, const DecodeImageOptions& options) {
  return call("decode_image", {bytes},
              {{"on_error", options.on_error},
               {"mode", options.mode},
               {"apply_orientation", options.apply_orientation}});
}

Expression convert_image(const Expression& image, const std::string& mode) {
  return call("convert_image", {image}, {{"mode", mode}});
}

Expression operator==(const Expression& a, const Expression& b) { return call("equal", {a, b}); }
Expression operator!=(const Expression& a, const Expression& b) {
  return call("not_equal", {a, b});
}
Expression operator<(const Expression& a, const Expression& b) { return call("less", {a, b}); }
Expression operator<=(const Expression& a, const Expression& b) {
  return call("less_equal", {a, b});
}
Expression operator>(const Expression& a, const Expression& b) { return call("greater", {a, b}); }
Expression operator>=(const Expression& a, const Expression& b) {
  return call("greater_equal", {a, b});
}
Expression operator&&(const Expression& a, const Expression& b) { return call("and", {a, b}); }
Expression operator||(const Expression& a, const Expression& b) { return call("or", {a, b}); }
Expression operator!(const Expression& a) { return call("not", {a}); }

}  // namespace vecframe
