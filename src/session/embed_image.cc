// The public functions that make expressions: resolve, describe, and keep the facts in the plan.

#include <vecframe/error.h>
#include <vecframe/expression.h>

#include <utility>

#include "plan/expression_node.h"
#include "session/session.h"

namespace vecframe {

Expression::Expression(std::shared_ptr<const plan::ExpressionNode> node) : node_(std::move(node)) {}

std::string Expression::to_string() const { return plan::to_string(*node_); }

Expression col(std::string name) {
  return Expression(std::make_shared<plan::ExpressionNode>(
      plan::ExpressionNode{plan::ColumnReference{std::move(name)}}));
}

Expression embed_image(Expression image, const EmbedImageOptions& options) {
  if (options.batch_size && *options.batch_size < 1) {
    throw RequestError("batch_size: " + std::to_string(*options.batch_size) +
                       " is not a number of pictures; give 1 or more, or leave it out");
  }
  if (options.error_column && options.error_column->empty()) {
    throw RequestError("error_column: the name is empty; give one, or leave the option out");
  }
  const auto descriptor = session::Session::current().describe(options);
  const embed::EmbedderFacts& facts = descriptor->facts();
  plan::EmbedImageCall call;
  call.image = image.node();
  call.provider = facts.provider;
  call.model = facts.model;
  call.model_fingerprint = facts.model_fingerprint;
  call.precision = tensor::to_string(facts.precision);
  call.device = options.device;
  call.dimension = facts.dimension;
  call.normalize = options.normalize;
  call.batch_size = options.batch_size;
  call.on_error = options.on_error;
  call.error_column = options.error_column;
  return Expression(std::make_shared<plan::ExpressionNode>(plan::ExpressionNode{std::move(call)}));
}

}  // namespace vecframe
