#include "plan/steps.h"

#include <vecframe/error.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "plan/expression_split.h"
#include "plan/expression_walk.h"
#include "plan/function_table.h"
#include "plan/vector_functions.h"

namespace vecframe::plan {
namespace {

using columnar::DataType;
using columnar::Field;
using columnar::Schema;
using columnar::TypeKind;
using Node = NodePointer;

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
      bind(field.name, {make_reference(field.name), field.type, field.nullable});
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
    bind("path", {make_reference("path"), plan.schema.fields[0].type, false});
    // "defer": whoever takes the picture decides what a bad one means.
    const Node bytes =
        make_call("download", {make_reference("path")},
                  {{"max_connections", std::int64_t{32}}, {"on_error", std::string("defer")}});
    const bool turn = node.options.apply_orientation;
    bind("image", {make_call("decode_image", {bytes},
                             {{"on_error", std::string("defer")},
                              {"mode", std::string("RGB")},
                              {"apply_orientation", turn},
                              {"fast_decode", node.options.fast_decode}}),
                   plan.schema.fields[1].type});
    for (std::size_t i = 2; i < plan.schema.fields.size(); ++i) {
      const Field& field = plan.schema.fields[i];
      bind(field.name,
           {make_call("header_" + field.name, {bytes}, {{"apply_orientation", turn}}), field.type});
    }
  }

  // The expression over columns of the chain.
  Node substitute(const Node& node) const {
    return replace_columns(node, [&](const std::string& name) { return bindings_.at(name).node; });
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
  // Functions of vectors take columns and literals alone.
  Node compute_arguments(const Node& node) {
    const auto* function = std::get_if<FunctionCall>(&node->value);
    const bool of_vectors = function != nullptr && is_vector_function(function->name);
    return with_arguments(node, [&](const Node& argument) -> Node {
      if (of_vectors && std::holds_alternative<LiteralValue>(argument->value)) return argument;
      const auto* inner = std::get_if<FunctionCall>(&argument->value);
      const bool is_column = of_vectors || is_scalar(*argument) ||
                             (inner != nullptr && is_vector_function(inner->name));
      if (!is_column) return compute_arguments(argument);
      const DataType type = type_of(*argument, schema(), relational_);
      return make_reference(compute(argument, type, "\x01" + identity(*argument)));
    });
  }

  // A picture that is decoded reduced has the size of what is made of it: it cannot be kept.
  static void refuse_reduced(const std::string& column, const ExpressionNode& node) {
    throw RequestError(
        "fast_decode: True, but " +
        (column.front() == '\x01' ? to_string(node) : "column '" + column + "'") +
        " is kept as it is, so that no size follows; leave the column out (exclude), resize() the "
        "pictures, or decode with fast_decode=False");
  }

  void add_own(const std::string& column, Node node, const DataType& type) {
    if (type.kind == TypeKind::kImage && type.image.reduced) refuse_reduced(column, *node);
    Schema wider = schema();
    wider.fields.push_back({column, type});
    if (const auto* function = std::get_if<FunctionCall>(&node->value);
        function != nullptr && is_vector_function(function->name))
      return add(VectorStep{column, *function, type}, std::move(wider));
    const auto* embed = std::get_if<EmbedCall>(&node->value);
    if (embed != nullptr && embed->error_column)
      wider.fields.push_back({error_column_of(column), {TypeKind::kString}});
    const ComputedColumn computed{column, std::move(node), type};
    auto* map = std::get_if<MapStep>(&steps_.back().value);
    if (map != nullptr && !depends_on(*computed.node, *map)) {
      map->columns.push_back(computed);
      steps_.back().schema = std::move(wider);
    } else {
      add(MapStep{{computed}}, std::move(wider));
    }
  }

  static bool depends_on(const ExpressionNode& node, const MapStep& map) {
    std::set<std::string> names;
    collect_columns(node, names);
    return std::any_of(map.columns.begin(), map.columns.end(), [&](const ComputedColumn& column) {
      return names.contains(column.column) || names.contains(error_column_of(column.column));
    });
  }

  // The column that has the values of this one of the plan's.
  std::string force(const std::string& name) {
    Binding& binding = bindings_.at(name);
    const std::string column = compute(binding.node, binding.type, name);
    binding.node = make_reference(column);
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
    bind(name, {make_reference(column), type});
    const auto* embed = std::get_if<EmbedCall>(&expression->value);
    if (embed != nullptr && embed->error_column)
      bind(*embed->error_column, {make_reference(error_column_of(column)), {TypeKind::kString}});
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
      const Node test = make_call("not_null", {make_reference(force(name))});
      const std::string mask = compute(test, {TypeKind::kBoolean}, "\x01mask");
      add(FilterStep{mask}, schema());
    }
  }

  void lower(const Limit& node, const LogicalPlan& /*plan*/) {
    // Sorting for the first few rows need not hold the others.
    if (auto* sort = std::get_if<SortStep>(&steps_.back().value))
      sort->first = std::min(sort->first.value_or(node.count), node.count);
    add(LimitStep{node.count}, schema());
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
      bind(field.name, {make_reference(field.name), field.type, field.nullable});
  }

  const RelationalSource& relational_;
  std::vector<Step> steps_;
  std::map<std::string, Binding> bindings_;      // by the name in the plan
  std::map<std::string, std::string> computed_;  // columns by the text of their expression
  int counter_ = 0;
};

bool calls_fast_decode(const Node& node) {
  const auto* call = std::get_if<FunctionCall>(&node->value);
  bool found = call != nullptr && call->name == "decode_image" && flag_option(*call, "fast_decode");
  with_arguments(node, [&](const Node& argument) {
    found = found || calls_fast_decode(argument);
    return argument;
  });
  return found;
}

}  // namespace

bool decodes_fast(const StepPlan& plan) {
  return std::any_of(plan.steps.begin(), plan.steps.end(), [](const Step& step) {
    if (const auto* both = std::get_if<ConcatStep>(&step.value)) return decodes_fast(*both->other);
    const auto* map = std::get_if<MapStep>(&step.value);
    return map != nullptr && std::any_of(map->columns.begin(), map->columns.end(),
                                         [](const auto& c) { return calls_fast_decode(c.node); });
  });
}

std::string error_column_of(const std::string& column) {
  return column +
         "\x01"
         "error";
}

StepPlan lower_to_steps(const LogicalPlan& plan, const RelationalSource& relational) {
  return Lowering(relational).run(plan);
}

}  // namespace vecframe::plan
