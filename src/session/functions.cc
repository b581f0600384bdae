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
               {"apply_orientation", options.apply_orientation},
               {"fast_decode", options.fast_decode}});
}

Expression convert_image(const Expression& image, const std::string& mode) {
  return call("convert_image", {image}, {{"mode", mode}});
}

Expression cosine_distance(const Expression& a, const Expression& b) {
  return call("cosine_distance", {a, b});
}
Expression cosine_similarity(const Expression& a, const Expression& b) {
  return call("cosine_similarity", {a, b});
}
Expression dot_product(const Expression& a, const Expression& b) {
  return call("dot_product", {a, b});
}
Expression euclidean_distance(const Expression& a, const Expression& b) {
  return call("euclidean_distance", {a, b});
}
Expression l2_normalize(const Expression& vectors) { return call("l2_normalize", {vectors}); }
Expression hamming_distance(const Expression& a, const Expression& b) {
  return call("hamming_distance", {a, b});
}

std::vector<FunctionInfo> list_functions() {
  std::vector<FunctionInfo> result;
  for (plan::FunctionFacts& facts : plan::function_facts())
    result.push_back({std::move(facts.name), facts.arguments, std::move(facts.options)});
  return result;
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
