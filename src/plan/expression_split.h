// Parts an expression into what the table engine evaluates and what this project does.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "columnar/scalar_expression.h"
#include "plan/expression_node.h"

namespace vecframe::plan {

/// A subtree that the table engine cannot evaluate, and the name of the column that stands for it.
struct OwnPart {
  std::string column;
  std::shared_ptr<const ExpressionNode> node;
};

struct SplitExpression {
  columnar::ScalarExpression scalar;  ///< over the schema's columns and those of `own`
  std::vector<OwnPart> own;           ///< outermost subtrees, in order
};

/// Whether the node itself is for the table engine: a literal or a relational call.
bool is_scalar(const ExpressionNode& node);

/// Splits a scalar node, or a reference, which stands alone.
SplitExpression split(const std::shared_ptr<const ExpressionNode>& node);

}  // namespace vecframe::plan
