// The public functions that make expressions: resolve, describe, and keep the facts in the plan.

#include <vecframe/error.h>
#include <vecframe/expression.h>

#include <utility>

#include "plan/expression_node.h"
#include "session/session.h"

namespace vecframe {

Expression::Expression(std::shared_ptr<const plan::ExpressionNode> node) : node_(std::move(node)) {}

std::string Expression::to_string() const { return plan::to_string(*node_); }

Expression Expression::alias(std::string name) const {
  Expression named = *this;
  named.alias_ = std::move(name);
  return named;
}

std::optional<std::string> Expression::name() const {
  if (alias_) return alias_;
  const auto* column = std::get_if<plan::ColumnReference>(&node_->value);
  return column == nullptr ? std::nullopt : std::optional(column->name);
}

Expression col(std::string name) {
  return Expression(std::make_shared<plan::ExpressionNode>(
      plan::ExpressionNode{plan::ColumnReference{std::move(name)}}));
}

namespace {

tensor::DType parse_dtype(const std::string& name) {
  if (name == "float32") return tensor::DType::kF32;
  if (name == "float16") return tensor::DType::kF16;
  throw RequestError("dtype: '" + name + "' is not known; use float32 or float16");
}

// What can be refused before a model is looked for, or downloaded.
void check(const EmbedOptions& options) {
  parse_dtype(options.dtype);
  if (options.batch_size && *options.batch_size < 1) {
    throw RequestError("batch_size: " + std::to_string(*options.batch_size) +
                       " is not a number of rows; give 1 or more, or leave it out");
  }
  if (options.error_column && options.error_column->empty()) {
    throw RequestError("error_column: the name is empty; give one, or leave the option out");
  }
}

Expression make_call(plan::EmbedFunction function, const Expression& argument,
                     const EmbedOptions& options, const embed::EmbedderFacts& facts,
                     plan::EmbedCall call = {}) {
  if (options.dimensions && (*options.dimensions < 1 || *options.dimensions > facts.dimension)) {
    throw RequestError("dimensions: " + std::to_string(*options.dimensions) +
                       " is out of range; the vectors of '" + facts.model + "' have " +
                       std::to_string(facts.dimension) + " values");
  }
  call.function = function;
  call.argument = argument.node();
  call.provider = facts.provider;
  call.model = facts.model;
  call.model_fingerprint = facts.model_fingerprint;
  call.precision = tensor::to_string(facts.precision);
  call.device = options.device;
  call.dimensions = options.dimensions;
  call.dimension = options.dimensions.value_or(facts.dimension);
  call.normalize = options.normalize;
  call.element = parse_dtype(options.dtype);
  call.batch_size = options.batch_size;
  call.on_error = options.on_error;
  call.error_column = options.error_column;
  return Expression(std::make_shared<plan::ExpressionNode>(plan::ExpressionNode{std::move(call)}));
}

}  // namespace

Expression embed_image(Expression image, const EmbedImageOptions& options,
                       const DownloadOptions& download) {
  check(options);
  if (options.image_size && *options.image_size < 1) {
    throw RequestError("image_size: " + std::to_string(*options.image_size) +
                       " is not a side of a picture; give 1 or more, or leave it out");
  }
  const auto descriptor = session::Session::current().describe(options, download);
  plan::EmbedCall call;
  call.pooling = options.pooling;
  call.image_size = options.image_size;
  return make_call(plan::EmbedFunction::kImage, image, options, descriptor->facts(),
                   std::move(call));
}

Expression embed_text(Expression text, const EmbedTextOptions& options,
                      const DownloadOptions& download) {
  check(options);
  const auto descriptor = session::Session::current().describe_text(options, download);
  return make_call(plan::EmbedFunction::kText, text, options, descriptor->facts());
}

}  // namespace vecframe
