#include <algorithm>
#include <set>
#include <utility>

#include "plan/expression_walk.h"
#include "plan/rewrite.h"

namespace vecframe::plan {
namespace {

using Names = std::set<std::string>;

std::vector<std::string> names_of(const columnar::Schema& schema) {
  std::vector<std::string> names;
  for (const columnar::Field& field : schema.fields) names.push_back(field.name);
  return names;
}

class Pruning {
 public:
  explicit Pruning(const RelationalSource& relational) : relational_(relational) {}

  // A plan whose result has these columns in this order.
  PlanPointer exactly(const PlanPointer& plan, const std::vector<std::string>& names) const {
    PlanPointer pruned = at_least(plan, Names(names.begin(), names.end()));
    if (names_of(pruned->schema) == names) return pruned;
    Select node;
    for (const std::string& name : names) node.columns.push_back({name, make_reference(name)});
    return select_any(std::move(pruned), std::move(node), relational_);
  }

 private:
  // A plan whose result has these columns, and few others, in any order.
  PlanPointer at_least(const PlanPointer& plan, const Names& needed) const {
    return std::visit([&](const auto& node) { return prune(node, plan, needed); }, plan->node);
  }

  PlanPointer prune(const WithColumn& node, const PlanPointer& plan, const Names& needed) const {
    const auto* embed = std::get_if<EmbedCall>(&node.expression->value);
    const bool has_errors = embed != nullptr && embed->error_column;
    if (!needed.contains(node.name) && !(has_errors && needed.contains(*embed->error_column)))
      return at_least(plan->input, needed);
    Names below = needed;
    below.erase(node.name);
    if (has_errors) below.erase(*embed->error_column);
    collect_columns(*node.expression, below);
    return over(plan, at_least(plan->input, below), relational_);
  }

  PlanPointer prune(const Select& node, const PlanPointer& plan, const Names& needed) const {
    Select kept;
    Names below;
    for (const NamedExpression& column : node.columns) {
      if (!needed.contains(column.name)) continue;
      kept.columns.push_back(column);
      collect_columns(*column.expression, below);
    }
    const bool same = kept.columns.size() == node.columns.size();
    PlanPointer input = at_least(plan->input, below);
    if (same && input == plan->input) return plan;
    return select_any(std::move(input), std::move(kept), relational_);
  }

  PlanPointer prune(const Where& node, const PlanPointer& plan, Names needed) const {
    collect_columns(*node.predicate, needed);
    return over(plan, at_least(plan->input, needed), relational_);
  }
  PlanPointer prune(const Sort& node, const PlanPointer& plan, Names needed) const {
    for (const storage::SortKey& key : node.keys) needed.insert(key.column);
    return over(plan, at_least(plan->input, needed), relational_);
  }
  PlanPointer prune(const DropNulls& node, const PlanPointer& plan, Names needed) const {
    needed.insert(node.columns.begin(), node.columns.end());
    return over(plan, at_least(plan->input, needed), relational_);
  }
  PlanPointer prune(const Limit&, const PlanPointer& plan, const Names& needed) const {
    return over(plan, at_least(plan->input, needed), relational_);
  }
  PlanPointer prune(const Sample&, const PlanPointer& plan, const Names& needed) const {
    return over(plan, at_least(plan->input, needed), relational_);
  }

  PlanPointer prune(const Concat& node, const PlanPointer& plan, const Names& needed) const {
    std::vector<std::string> names = names_of(plan->schema);
    std::erase_if(names, [&](const std::string& name) { return !needed.contains(name); });
    PlanPointer first = exactly(plan->input, names), second = exactly(node.other, names);
    if (first == plan->input && second == node.other) return plan;
    return concat(std::move(first), {std::move(second)});
  }

  // Sources read those columns of theirs that the schema of their node has.
  PlanPointer prune(const FromGlob&, const PlanPointer& plan, const Names& needed) const {
    return read_less(plan, needed);
  }
  PlanPointer prune(const ReadParquet&, const PlanPointer& plan, const Names& needed) const {
    return read_less(plan, needed);
  }
  PlanPointer prune(const FromMemory&, const PlanPointer& plan, const Names& needed) const {
    return read_less(plan, needed);
  }
  PlanPointer prune(const ReadImages&, const PlanPointer& plan, const Names&) const {
    return plan;  // whose columns are made one by one, where they are used
  }
  PlanPointer prune(const ReadTexts&, const PlanPointer& plan, const Names&) const { return plan; }

  static PlanPointer read_less(const PlanPointer& plan, const Names& needed) {
    LogicalPlan source = *plan;
    std::erase_if(source.schema.fields,
                  [&](const columnar::Field& field) { return !needed.contains(field.name); });
    if (source.schema.fields.size() == plan->schema.fields.size()) return plan;
    return std::make_shared<LogicalPlan>(std::move(source));
  }

  const RelationalSource& relational_;
};

}  // namespace

PlanPointer prune_columns(const PlanPointer& plan, const RelationalSource& relational) {
  return Pruning(relational).exactly(plan, names_of(plan->schema));
}

}  // namespace vecframe::plan
