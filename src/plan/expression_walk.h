// Questions to expression trees, and trees with some of their nodes exchanged.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "plan/expression_node.h"

namespace vecframe::plan {

using NodePointer = std::shared_ptr<const ExpressionNode>;

/// The same tree with other arguments; the node itself if they are the same ones.
NodePointer with_arguments(const NodePointer& node,
                           const std::function<NodePointer(const NodePointer&)>& change);

/// The tree with every column reference replaced.
NodePointer replace_columns(const NodePointer& node,
                            const std::function<NodePointer(const std::string&)>& replacement);

/// Adds the columns that the expression refers to.
void collect_columns(const ExpressionNode& node, std::set<std::string>& names);
bool refers_to(const ExpressionNode& node, const std::string& name);

/// Whether a row's values alone can end a run: integers overflow or are divided by zero, a text is
/// no number, a call says on_error="raise". Such an expression must not see rows that a filter
/// would have left out.
bool may_fail(const ExpressionNode& node);

/// The parts of a conjunction, in order; the node itself if it is none.
std::vector<NodePointer> conjuncts_of(const NodePointer& node);
/// Their conjunction. At least one.
NodePointer conjunction_of(const std::vector<NodePointer>& nodes);

NodePointer make_reference(std::string name);
NodePointer make_call(std::string name, std::vector<NodePointer> arguments,
                      std::map<std::string, columnar::Literal> options = {});
/// The name if the node is a reference to a column, else null.
const std::string* reference_name(const ExpressionNode& node);

}  // namespace vecframe::plan
