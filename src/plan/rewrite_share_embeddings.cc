#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "plan/expression_walk.h"
#include "plan/rewrite.h"

namespace vecframe::plan {
namespace {

// A column that holds the result of a call, as long as neither it nor what the call reads changes.
struct Known {
  NodePointer call;  ///< without its error column
  std::string column;
  std::optional<std::string> errors;
};

NodePointer without_errors(const EmbedCall& call) {
  EmbedCall copy = call;
  copy.error_column.reset();
  return std::make_shared<ExpressionNode>(ExpressionNode{std::move(copy)});
}

class Sharing {
 public:
  explicit Sharing(const RelationalSource& relational) : relational_(relational) {}

  PlanPointer share(const PlanPointer& plan) {
    PlanPointer input = plan->input ? share(plan->input) : nullptr;
    if (const auto* node = std::get_if<WithColumn>(&plan->node))
      return share(*node, plan, std::move(input));
    if (const auto* node = std::get_if<Select>(&plan->node)) {
      follow(*node);
    } else if (const auto* both = std::get_if<Concat>(&plan->node)) {
      known_.clear();
      const PlanPointer other = Sharing(relational_).share(both->other);
      if (other != both->other) return concat(std::move(input), {other});
    }
    return over(plan, std::move(input), relational_);
  }

 private:
  PlanPointer share(const WithColumn& node, const PlanPointer& plan, PlanPointer input) {
    const auto* embed = std::get_if<EmbedCall>(&node.expression->value);
    const NodePointer call = embed == nullptr ? nullptr : without_errors(*embed);
    const Known* same = call == nullptr ? nullptr : find(*call, embed->error_column.has_value());
    if (same == nullptr) {
      forget(node.name);
      if (embed != nullptr && embed->error_column) forget(*embed->error_column);
      if (call != nullptr && !refers_to(*call, node.name))
        known_.push_back({call, node.name, embed->error_column});
      return over(plan, std::move(input), relational_);
    }
    // By value: forget() drops what it points to.
    const Known source = *same;
    // The errors first: the new column may have the name of the old ones.
    if (embed->error_column && *embed->error_column == source.column)
      return over(plan, std::move(input), relational_);
    PlanPointer result = std::move(input);
    if (embed->error_column && *embed->error_column != *source.errors)
      result = with_column(result, {*embed->error_column, make_reference(*source.errors)});
    result = with_column(result, {node.name, make_reference(source.column)});
    if (embed->error_column) forget(*embed->error_column);
    forget(node.name);
    return in_order(std::move(result), plan->schema);
  }

  // The columns in the order that they had.
  PlanPointer in_order(PlanPointer plan, const columnar::Schema& schema) const {
    const auto same_name = [](const columnar::Field& a, const columnar::Field& b) {
      return a.name == b.name;
    };
    const auto& fields = schema.fields;
    if (std::equal(fields.begin(), fields.end(), plan->schema.fields.begin(),
                   plan->schema.fields.end(), same_name))
      return plan;
    Select node;
    for (const columnar::Field& field : fields)
      node.columns.push_back({field.name, make_reference(field.name)});
    return select(std::move(plan), std::move(node), relational_);
  }

  const Known* find(const ExpressionNode& call, bool with_errors) const {
    const std::string wanted = identity(call);
    for (const Known& one : known_)
      if ((one.errors || !with_errors) && identity(*one.call) == wanted) return &one;
    return nullptr;
  }

  // The column gets other values.
  void forget(const std::string& name) {
    std::erase_if(
        known_, [&](const Known& one) { return one.column == name || refers_to(*one.call, name); });
    for (Known& one : known_)
      if (one.errors == name) one.errors.reset();
  }

  // A column keeps its values under a name of the result; what it was computed of must do so too.
  void follow(const Select& node) {
    std::map<std::string, std::string> names;  // from, to
    for (const NamedExpression& column : node.columns)
      if (const std::string* from = reference_name(*column.expression)) names[*from] = column.name;
    std::vector<Known> kept;
    for (const Known& one : known_) {
      std::set<std::string> read;
      collect_columns(*one.call, read);
      const bool all = std::all_of(read.begin(), read.end(),
                                   [&](const std::string& name) { return names.contains(name); });
      if (!all || !names.contains(one.column)) continue;
      Known renamed;
      renamed.call = replace_columns(
          one.call, [&](const std::string& name) { return make_reference(names.at(name)); });
      renamed.column = names.at(one.column);
      if (one.errors && names.contains(*one.errors)) renamed.errors = names.at(*one.errors);
      kept.push_back(std::move(renamed));
    }
    known_ = std::move(kept);
  }

  const RelationalSource& relational_;
  std::vector<Known> known_;
};

}  // namespace

PlanPointer share_embeddings(const PlanPointer& plan, const RelationalSource& relational) {
  return Sharing(relational).share(plan);
}

}  // namespace vecframe::plan
