#include "plan/steps.h"

#include <fmt/format.h>
#include <vecframe/error.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "plan/expression_split.h"
#include "plan/function_table.h"

namespace vecframe::plan {
namespace {

using columnar::DataType;
using columnar::Field;
using columnar::Schema;
using columnar::TypeKind;
using Node = std::shared_ptr<const ExpressionNode>;

Node reference(std::string name) {
  return std::make_shared<ExpressionNode>(ExpressionNode{ColumnReference{std::move(name)}});
}

Node call(std::string name, Node argument, std::map<std::string, columnar::Literal> options = {}) {
  return std::make_shared<ExpressionNode>(
      ExpressionNode{FunctionCall{std::move(name), {std::move(argument)}, std::move(options)}});
}

// What a column of the logical plan is inside the chain: a column, or an expression over columns
// that is computed where it is needed. Pictures and the bytes of files are kept as expressions, so
// that a picture goes from its file into a model without ever being a column.
struct Binding {
  Node node;
  DataType type;
  bool nullable = true;
};

class Lowering {
 public:
  explicit Lowering(const RelationalSource& relational) : relational_(relational) {}

  StepPlan run(const LogicalPlan& plan) {
    visit(plan);
    ProjectStep project;
    Schema schema;
    for (const Field& field : plan.schema.fields) {
      project.columns.emplace_back(force(field.name), field.name);
      schema.fields.push_back({field.name, field.type, bindings_.at(field.name).nullable});
    }
    add(std::move(project), std::move(schema));
    StepPlan result;
    result.steps = std::move(steps_);
    return result;
  }

 private:
  void visit(const LogicalPlan& plan) {
    if (plan.input) visit(*plan.input);
    std::visit([&](const auto& node) { lower(node, plan); }, plan.node);
  }

  const Schema& schema() const { return steps_.back().schema; }

  template <class Value>
  void add(Value value, Schema schema) {
    steps_.push_back({std::move(value), std::move(schema)});
  }

  void bind(const std::string& name, Binding binding) { bindings_[name] = std::move(binding); }

  // A source whose columns are those of the plan.
  template <class Source>
  void lower_source(const Source& source, const LogicalPlan& plan) {
    add(SourceStep{source}, plan.schema);
    for (const Field& field : plan.schema.fields)
      bind(field.name, {reference(field.name), field.type, field.nullable});
  }

  void lower(const ReadTexts& node, const LogicalPlan& plan) {
    LogicalPlan nullable = plan;  // a line that is no text is null
    nullable.schema.fields[0].nullable = true;
    lower_source(node, nullable);
  }
  void lower(const FromGlob& node, const LogicalPlan& plan) { lower_source(node, plan); }
  void lower(const ReadParquet& node, const LogicalPlan& plan) { lower_source(node, plan); }
  void lower(const FromMemory& node, const LogicalPlan& plan) { lower_source(node, plan); }

  void lower(const ReadImages& node, const LogicalPlan& plan) {
    Schema paths;
    paths.fields.push_back(plan.schema.fields[0]);
    add(SourceStep{node}, paths);
    bind("path", {reference("path"), plan.schema.fields[0].type, false});
    // "defer": whoever takes the picture decides what a bad one means.
    const Node bytes =
        call("download", reference("path"),
             {{"max_connections", std::int64_t{16}}, {"on_error", std::string("defer")}});
    const bool turn = node.options.apply_orientation;
    bind("image", {call("decode_image", bytes,
                        {{"on_error", std::string("defer")},
                         {"mode", std::string("RGB")},
                         {"apply_orientation", turn}}),
                   plan.schema.fields[1].type});
    for (std::size_t i = 2; i < plan.schema.fields.size(); ++i) {
      const Field& field = plan.schema.fields[i];
      bind(field.name,
           {call("header_" + field.name, bytes, {{"apply_orientation", turn}}), field.type});
    }
  }

  // The expression over columns of the chain.
  Node substitute(const Node& node) const {
    if (const auto* column = std::get_if<ColumnReference>(&node->value))
      return bindings_.at(column->name).node;
    if (const auto* function = std::get_if<FunctionCall>(&node->value)) {
      FunctionCall copy = *function;
      for (Node& argument : copy.arguments) argument = substitute(argument);
      return std::make_shared<ExpressionNode>(ExpressionNode{std::move(copy)});
    }
    if (const auto* embed = std::get_if<EmbedCall>(&node->value)) {
      EmbedCall copy = *embed;
      copy.argument = substitute(copy.argument);
      return std::make_shared<ExpressionNode>(ExpressionNode{std::move(copy)});
    }
    return node;
  }

  static bool stays_expression(const Node& node, const DataType& type) {
    const auto* function = std::get_if<FunctionCall>(&node->value);
    return type.kind == TypeKind::kImage || (function != nullptr && function->name == "download");
  }

  std::string fresh(const std::string& name) {
    return schema().find(name) < 0 ? name : name + "\x01" + std::to_string(++counter_);
  }

  // Makes a column of the expression, which is over columns of the chain.
  std::string compute(const Node& node, const DataType& type, const std::string& wish) {
    if (const auto* column = std::get_if<ColumnReference>(&node->value)) return column->name;
    if (const auto known = computed_.find(identity(*node)); known != computed_.end())
      return known->second;
    std::string column = fresh(wish);
    if (is_scalar(*node)) {
      SplitExpression parts = split(node);
      for (const OwnPart& part : parts.own) {
        if (schema().find(part.column) >= 0) continue;
        add_own(part.column, compute_arguments(part.node),
                type_of(*part.node, schema(), relational_));
      }
      Schema wider = schema();
      wider.fields.push_back({column, type});
      add(ScalarStep{column, std::move(parts.scalar)}, std::move(wider));
    } else {
      add_own(column, compute_arguments(node), type);
    }
    computed_[identity(*node)] = column;
    return column;
  }

  // Own functions take columns and own functions; a scalar argument becomes a column first.
  Node compute_arguments(const Node& node) {
    const auto prepare = [&](const Node& argument) -> Node {
      if (std::holds_alternative<LiteralValue>(argument->value)) return argument;
      if (is_scalar(*argument)) {
        const DataType type = type_of(*argument, schema(), relational_);
        return reference(compute(argument, type, "\x01" + identity(*argument)));
      }
      return compute_arguments(argument);
    };
    if (const auto* function = std::get_if<FunctionCall>(&node->value)) {
      FunctionCall copy = *function;
      for (Node& argument : copy.arguments) argument = prepare(argument);
      return std::make_shared<ExpressionNode>(ExpressionNode{std::move(copy)});
    }
    if (const auto* embed = std::get_if<EmbedCall>(&node->value)) {
      EmbedCall copy = *embed;
      copy.argument = prepare(copy.argument);
      return std::make_shared<ExpressionNode>(ExpressionNode{std::move(copy)});
    }
    return node;
  }

  void add_own(const std::string& column, Node node, const DataType& type) {
    Schema wider = schema();
    wider.fields.push_back({column, type});
    const auto* embed = std::get_if<EmbedCall>(&node->value);
    if (embed != nullptr && embed->error_column)
      wider.fields.push_back({error_column_of(column), {TypeKind::kString}});
    const ComputedColumn computed{column, std::move(node), type};
    auto* map = std::get_if<MapStep>(&steps_.back().value);
    if (map != nullptr && !refers_to(*computed.node, *map)) {
      map->columns.push_back(computed);
      steps_.back().schema = std::move(wider);
    } else {
      add(MapStep{{computed}}, std::move(wider));
    }
  }

  static bool refers_to(const ExpressionNode& node, const MapStep& map) {
    if (const auto* column = std::get_if<ColumnReference>(&node.value))
      return std::any_of(map.columns.begin(), map.columns.end(), [&](const ComputedColumn& c) {
        return c.column == column->name || error_column_of(c.column) == column->name;
      });
    if (const auto* function = std::get_if<FunctionCall>(&node.value))
      return std::any_of(function->arguments.begin(), function->arguments.end(),
                         [&](const Node& argument) { return refers_to(*argument, map); });
    if (const auto* embed = std::get_if<EmbedCall>(&node.value))
      return refers_to(*embed->argument, map);
    return false;
  }

  // The column that has the values of this one of the plan's.
  std::string force(const std::string& name) {
    Binding& binding = bindings_.at(name);
    const std::string column = compute(binding.node, binding.type, name);
    binding.node = reference(column);
    return column;
  }

  void define(const std::string& name, const Node& expression, const DataType& type) {
    const Node node = substitute(expression);
    if (std::holds_alternative<ColumnReference>(node->value) || stays_expression(node, type)) {
      const auto* source = std::get_if<ColumnReference>(&expression->value);
      bind(name, {node, type, source == nullptr || bindings_.at(source->name).nullable});
      return;
    }
    const std::string column = compute(node, type, name);
    bind(name, {reference(column), type});
    const auto* embed = std::get_if<EmbedCall>(&expression->value);
    if (embed != nullptr && embed->error_column)
      bind(*embed->error_column, {reference(error_column_of(column)), {TypeKind::kString}});
  }

  void lower(const WithColumn& node, const LogicalPlan& plan) {
    define(node.name, node.expression, field_of(plan.schema, node.name).type);
  }

  void lower(const Select& node, const LogicalPlan& plan) {
    // All of them see the columns of the input.
    const std::map<std::string, Binding> before = bindings_;
    std::map<std::string, Binding> after;
    for (const NamedExpression& column : node.columns) {
      define(column.name, column.expression, field_of(plan.schema, column.name).type);
      after[column.name] = bindings_.at(column.name);
      bindings_ = before;
    }
    bindings_ = std::move(after);
  }

  void lower(const Where& node, const LogicalPlan& plan) {
    const Node predicate = substitute(node.predicate);
    const std::string mask = compute(predicate, {TypeKind::kBoolean}, "\x01mask");
    static_cast<void>(plan);
    add(FilterStep{mask}, schema());
  }

  void lower(const DropNulls& node, const LogicalPlan& /*plan*/) {
    for (const std::string& name : node.columns) {
      const Node test = call("not_null", reference(force(name)));
      const std::string mask = compute(test, {TypeKind::kBoolean}, "\x01mask");
      add(FilterStep{mask}, schema());
    }
  }

  // Rows keep their values, so a limit may pass in front of what only adds columns: what is cut off
  // is not computed.
  void lower(const Limit& node, const LogicalPlan& /*plan*/) {
    std::size_t at = steps_.size();
    while (at > 1 && (std::holds_alternative<MapStep>(steps_[at - 1].value) ||
                      std::holds_alternative<ScalarStep>(steps_[at - 1].value)))
      --at;
    const Step step{LimitStep{node.count}, steps_[at - 1].schema};
    steps_.insert(steps_.begin() + static_cast<std::ptrdiff_t>(at), step);
  }

  void lower(const Sort& node, const LogicalPlan& /*plan*/) {
    SortStep step;
    for (const storage::SortKey& key : node.keys)
      step.keys.push_back({force(key.column), key.descending, key.nulls_first});
    add(std::move(step), schema());
  }

  void lower(const Sample& node, const LogicalPlan& /*plan*/) { add(SampleStep{node}, schema()); }

  void lower(const Concat& node, const LogicalPlan& plan) {
    ProjectStep project;
    Schema result;
    for (const Field& field : plan.schema.fields) {
      project.columns.emplace_back(force(field.name), field.name);
      result.fields.push_back(field);
    }
    add(std::move(project), result);
    auto other = std::make_shared<StepPlan>(Lowering(relational_).run(*node.other));
    add(ConcatStep{std::move(other)}, result);
    bindings_.clear();
    computed_.clear();
    for (const Field& field : plan.schema.fields)
      bind(field.name, {reference(field.name), field.type, field.nullable});
  }

  const RelationalSource& relational_;
  std::vector<Step> steps_;
  std::map<std::string, Binding> bindings_;      // by the name in the plan
  std::map<std::string, std::string> computed_;  // columns by the text of their expression
  int counter_ = 0;
};

void collect(const ExpressionNode& node, std::set<std::string>& names) {
  if (const auto* column = std::get_if<ColumnReference>(&node.value)) {
    names.insert(column->name);
  } else if (const auto* function = std::get_if<FunctionCall>(&node.value)) {
    for (const Node& argument : function->arguments) collect(*argument, names);
  } else if (const auto* embed = std::get_if<EmbedCall>(&node.value)) {
    collect(*embed->argument, names);
  }
}

void collect(const columnar::ScalarExpression& expression, std::set<std::string>& names) {
  if (expression.kind == columnar::ScalarExpression::Kind::kColumn) names.insert(expression.name);
  for (const auto& argument : expression.arguments) collect(argument, names);
}

void keep(Schema& schema, const std::set<std::string>& names) {
  std::erase_if(schema.fields, [&](const Field& field) { return !names.contains(field.name); });
}

// Leaves out every column that nothing after it uses, from the last step backwards.
void prune(StepPlan& plan) {
  std::set<std::string> needed;
  for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
    if (auto* project = std::get_if<ProjectStep>(&step->value)) {
      if (step != plan.steps.rbegin()) {
        std::erase_if(project->columns, [&](const auto& c) { return !needed.contains(c.second); });
        keep(step->schema, needed);
      }
      needed.clear();
      for (const auto& [from, to] : project->columns) needed.insert(from);
      continue;
    }
    if (const auto* concat = std::get_if<ConcatStep>(&step->value)) {
      // Both sides have all columns.
      for (const Field& field : step->schema.fields) needed.insert(field.name);
      static_cast<void>(concat);
      continue;
    }
    keep(step->schema, needed);
    if (auto* map = std::get_if<MapStep>(&step->value)) {
      std::erase_if(map->columns, [&](const ComputedColumn& column) {
        return !needed.contains(column.column) && !needed.contains(error_column_of(column.column));
      });
      for (const ComputedColumn& column : map->columns) {
        needed.erase(column.column);
        needed.erase(error_column_of(column.column));
      }
      for (const ComputedColumn& column : map->columns) collect(*column.node, needed);
    } else if (const auto* scalar = std::get_if<ScalarStep>(&step->value)) {
      if (needed.erase(scalar->column) > 0) collect(scalar->expression, needed);
    } else if (const auto* filter = std::get_if<FilterStep>(&step->value)) {
      needed.insert(filter->mask);
    } else if (const auto* sort = std::get_if<SortStep>(&step->value)) {
      for (const storage::SortKey& key : sort->keys) needed.insert(key.column);
    }
  }
  // A step that computes nothing any more.
  std::erase_if(plan.steps, [](const Step& step) {
    if (const auto* map = std::get_if<MapStep>(&step.value)) return map->columns.empty();
    if (const auto* scalar = std::get_if<ScalarStep>(&step.value))
      return step.schema.find(scalar->column) < 0;
    return false;
  });
}

// Moves each filter, and what computes its mask, in front of maps that it does not depend on: rows
// that are left out are not decoded or embedded.
void push_filters(StepPlan& plan) {
  for (std::size_t i = 2; i < plan.steps.size(); ++i) {
    const auto* filter = std::get_if<FilterStep>(&plan.steps[i].value);
    const auto* scalar = std::get_if<ScalarStep>(&plan.steps[i - 1].value);
    if (filter == nullptr || scalar == nullptr || scalar->column != filter->mask) continue;
    std::set<std::string> needed;
    collect(scalar->expression, needed);
    std::size_t at = i - 1;  // of the pair
    while (at > 1) {
      const auto* map = std::get_if<MapStep>(&plan.steps[at - 1].value);
      const bool independent =
          map != nullptr &&
          std::none_of(map->columns.begin(), map->columns.end(), [&](const ComputedColumn& column) {
            return needed.contains(column.column) ||
                   needed.contains(error_column_of(column.column));
          });
      if (!independent) break;
      std::swap(plan.steps[at - 1], plan.steps[at]);
      std::swap(plan.steps[at], plan.steps[at + 1]);
      --at;
    }
  }
}

// The columns of each step, after steps lost some or were moved.
void refresh_schemas(StepPlan& plan) {
  Schema schema = plan.steps.front().schema;
  for (std::size_t i = 1; i < plan.steps.size(); ++i) {
    Step& step = plan.steps[i];
    const Schema before = step.schema;
    if (std::holds_alternative<ProjectStep>(step.value) ||
        std::holds_alternative<ConcatStep>(step.value)) {
      schema = before;
      continue;
    }
    const auto take = [&](const std::string& name) {
      if (const int index = before.find(name); index >= 0)
        schema.fields.push_back(before.fields[static_cast<std::size_t>(index)]);
    };
    if (const auto* map = std::get_if<MapStep>(&step.value)) {
      // A map gives an embedding with its error column, whichever of them is used.
      for (const ComputedColumn& column : map->columns) {
        schema.fields.push_back({column.column, column.type});
        const auto* embed = std::get_if<EmbedCall>(&column.node->value);
        if (embed != nullptr && embed->error_column)
          schema.fields.push_back({error_column_of(column.column), {TypeKind::kString}});
      }
    } else if (const auto* scalar = std::get_if<ScalarStep>(&step.value)) {
      take(scalar->column);
    }
    step.schema = schema;
  }
}

}  // namespace

std::string error_column_of(const std::string& column) {
  return column +
         "\x01"
         "error";
}

StepPlan lower_to_steps(const LogicalPlan& plan, const RelationalSource& relational) {
  StepPlan result = Lowering(relational).run(plan);
  push_filters(result);
  prune(result);
  refresh_schemas(result);
  return result;
}

std::string explain(const StepPlan& plan) {
  std::string text;
  for (const Step& step : plan.steps) {
    struct Visitor {
      std::string operator()(const SourceStep&) const { return "Source"; }
      std::string operator()(const MapStep& map) const {
        std::string line = "Map:";
        for (const ComputedColumn& column : map.columns)
          line += " " + column.column + " = " + to_string(*column.node) + ";";
        return line;
      }
      std::string operator()(const ScalarStep& scalar) const { return "Scalar: " + scalar.column; }
      std::string operator()(const FilterStep& filter) const { return "Filter: " + filter.mask; }
      std::string operator()(const LimitStep& limit) const {
        return fmt::format("Limit: {}", limit.count);
      }
      std::string operator()(const SortStep& sort) const {
        return fmt::format("Sort: {} columns", sort.keys.size());
      }
      std::string operator()(const SampleStep&) const { return "Sample"; }
      std::string operator()(const ConcatStep&) const { return "Concat"; }
      std::string operator()(const ProjectStep& project) const {
        std::string line = "Project:";
        for (const auto& [from, to] : project.columns)
          line += " " + (from == to ? to : to + " = " + from);
        return line;
      }
    };
    text += std::visit(Visitor(), step.value);
    text += " -> ";
    for (const Field& field : step.schema.fields) text += field.name + " ";
    text += "\n";
  }
  return text;
}

}  // namespace vecframe::plan
