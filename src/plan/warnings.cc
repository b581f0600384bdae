#include "plan/warnings.h"

#include <algorithm>
#include <utility>

#include "plan/expression_walk.h"

namespace vecframe::plan {
namespace {

// Whether the value of the expression, over the result of `plan`, is a picture that was resized.
bool is_resized(const ExpressionNode& node, const LogicalPlan* plan) {
  if (const std::string* name = reference_name(node)) {
    for (; plan != nullptr; plan = plan->input.get()) {
      if (const auto* added = std::get_if<WithColumn>(&plan->node);
          added != nullptr && added->name == *name)
        return is_resized(*added->expression, plan->input.get());
      const auto* chosen = std::get_if<Select>(&plan->node);
      if (chosen == nullptr) continue;
      for (const NamedExpression& column : chosen->columns)
        if (column.name == *name) return is_resized(*column.expression, plan->input.get());
    }
    return false;
  }
  const auto* call = std::get_if<FunctionCall>(&node.value);
  if (call == nullptr) return false;
  return call->name == "resize" ||
         std::any_of(call->arguments.begin(), call->arguments.end(),
                     [&](const NodePointer& argument) { return is_resized(*argument, plan); });
}

void look(const NodePointer& node, const LogicalPlan* input, std::vector<std::string>& warnings) {
  if (const auto* embed = std::get_if<EmbedCall>(&node->value);
      embed != nullptr && embed->function == EmbedFunction::kImage &&
      is_resized(*embed->argument, input))
    warnings.push_back("embed_image: its pictures, " + to_string(*embed->argument) +
                       ", were resized; '" + embed->model +
                       "' resizes pictures itself, so a resize before it only costs detail: leave "
                       "it out");
  with_arguments(node, [&](const NodePointer& argument) {
    look(argument, input, warnings);
    return argument;
  });
}

}  // namespace

std::vector<std::string> warnings_of(const LogicalPlan& plan) {
  std::vector<std::string> warnings;
  const LogicalPlan* input = plan.input.get();
  if (const auto* added = std::get_if<WithColumn>(&plan.node))
    look(added->expression, input, warnings);
  if (const auto* kept = std::get_if<Where>(&plan.node)) look(kept->predicate, input, warnings);
  if (const auto* chosen = std::get_if<Select>(&plan.node))
    for (const NamedExpression& column : chosen->columns) look(column.expression, input, warnings);
  return warnings;
}

std::vector<std::string> all_warnings(const LogicalPlan& plan) {
  std::vector<std::string> warnings;
  if (plan.input) warnings = all_warnings(*plan.input);
  if (const auto* both = std::get_if<Concat>(&plan.node))
    for (std::string& warning : all_warnings(*both->other)) warnings.push_back(std::move(warning));
  for (std::string& warning : warnings_of(plan)) warnings.push_back(std::move(warning));
  return warnings;
}

}  // namespace vecframe::plan
