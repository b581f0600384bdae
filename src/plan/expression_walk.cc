#include "plan/expression_walk.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace vecframe::plan {
namespace {

// Calls of the table engine that stop at some values.
constexpr std::array<std::string_view, 8> kStopping{"add",    "subtract", "multiply", "divide",
                                                    "negate", "float64",  "int64",    "string"};

std::vector<NodePointer> arguments_of(const ExpressionNode& node) {
  if (const auto* call = std::get_if<FunctionCall>(&node.value)) return call->arguments;
  if (const auto* embed = std::get_if<EmbedCall>(&node.value)) return {embed->argument};
  return {};
}

void collect_conjuncts(const NodePointer& node, std::vector<NodePointer>& parts) {
  const auto* call = std::get_if<FunctionCall>(&node->value);
  if (call == nullptr || call->name != "and") return parts.push_back(node);
  for (const NodePointer& argument : call->arguments) collect_conjuncts(argument, parts);
}

}  // namespace

NodePointer with_arguments(const NodePointer& node,
                           const std::function<NodePointer(const NodePointer&)>& change) {
  if (const auto* call = std::get_if<FunctionCall>(&node->value)) {
    std::vector<NodePointer> arguments;
    for (const NodePointer& argument : call->arguments) arguments.push_back(change(argument));
    if (arguments == call->arguments) return node;
    return make_call(call->name, std::move(arguments), call->options);
  }
  if (const auto* embed = std::get_if<EmbedCall>(&node->value)) {
    NodePointer argument = change(embed->argument);
    if (argument == embed->argument) return node;
    EmbedCall copy = *embed;
    copy.argument = std::move(argument);
    return std::make_shared<ExpressionNode>(ExpressionNode{std::move(copy)});
  }
  return node;
}

NodePointer replace_columns(const NodePointer& node,
                            const std::function<NodePointer(const std::string&)>& replacement) {
  if (const std::string* name = reference_name(*node)) return replacement(*name);
  return with_arguments(
      node, [&](const NodePointer& argument) { return replace_columns(argument, replacement); });
}

void collect_columns(const ExpressionNode& node, std::set<std::string>& names) {
  if (const std::string* name = reference_name(node)) names.insert(*name);
  for (const NodePointer& argument : arguments_of(node)) collect_columns(*argument, names);
}

bool refers_to(const ExpressionNode& node, const std::string& name) {
  std::set<std::string> names;
  collect_columns(node, names);
  return names.contains(name);
}

bool may_fail(const ExpressionNode& node) {
  if (const auto* embed = std::get_if<EmbedCall>(&node.value);
      embed != nullptr && embed->on_error == OnError::kRaise)
    return true;
  if (const auto* call = std::get_if<FunctionCall>(&node.value)) {
    if (std::find(kStopping.begin(), kStopping.end(), call->name) != kStopping.end()) return true;
    const auto on_error = call->options.find("on_error");
    if (on_error != call->options.end() &&
        on_error->second != columnar::Literal(std::string("null")))
      return true;
  }
  const std::vector<NodePointer> arguments = arguments_of(node);
  return std::any_of(arguments.begin(), arguments.end(),
                     [](const NodePointer& argument) { return may_fail(*argument); });
}

std::vector<NodePointer> conjuncts_of(const NodePointer& node) {
  std::vector<NodePointer> parts;
  collect_conjuncts(node, parts);
  return parts;
}

NodePointer conjunction_of(const std::vector<NodePointer>& nodes) {
  NodePointer all = nodes.front();
  for (std::size_t i = 1; i < nodes.size(); ++i) all = make_call("and", {all, nodes[i]});
  return all;
}

NodePointer make_reference(std::string name) {
  return std::make_shared<ExpressionNode>(ExpressionNode{ColumnReference{std::move(name)}});
}

NodePointer make_call(std::string name, std::vector<NodePointer> arguments,
                      std::map<std::string, columnar::Literal> options) {
  return std::make_shared<ExpressionNode>(
      ExpressionNode{FunctionCall{std::move(name), std::move(arguments), std::move(options)}});
}

const std::string* reference_name(const ExpressionNode& node) {
  const auto* column = std::get_if<ColumnReference>(&node.value);
  return column == nullptr ? nullptr : &column->name;
}

}  // namespace vecframe::plan
