#include "plan/logical_plan.h"

#include <fmt/format.h>
#include <vecframe/error.h>

#include <algorithm>
#include <set>
#include <utility>

namespace vecframe::plan {
namespace {

using columnar::DataType;
using columnar::Field;
using columnar::Schema;
using columnar::TypeKind;

// Adds the field, or puts it in the place of the one with its name.
void put(Schema& schema, Field field) {
  const int index = schema.find(field.name);
  if (index < 0) {
    schema.fields.push_back(std::move(field));
  } else {
    schema.fields[static_cast<std::size_t>(index)] = std::move(field);
  }
}

void refuse_same_names(const Schema& schema, const std::string& where) {
  std::set<std::string> names;
  for (const Field& field : schema.fields)
    if (!names.insert(field.name).second)
      throw RequestError(where + ": two columns are named '" + field.name + "'; rename one");
}

}  // namespace

PlanPointer read_images(ReadImages node) {
  if (node.inputs.empty())
    throw RequestError("read_images: no inputs; name a file, a glob or a directory");
  if (node.options.max_pixels == 0)
    throw RequestError("max_pixels: 0 would refuse every picture; give a positive count");
  Schema schema;
  schema.fields = {
      {"path", {TypeKind::kString}, /*nullable=*/false},
      {"image", {TypeKind::kImage, 0, {}, {.mode = 3, .reduced = node.options.fast_decode}}},
      {"width", {TypeKind::kUInt32}},
      {"height", {TypeKind::kUInt32}},
      {"format", {TypeKind::kString}}};
  return std::make_shared<LogicalPlan>(LogicalPlan{std::move(node), nullptr, std::move(schema)});
}

PlanPointer read_texts(ReadTexts node) {
  Schema schema;
  schema.fields = {{"text", {TypeKind::kString}, /*nullable=*/false}};
  return std::make_shared<LogicalPlan>(LogicalPlan{std::move(node), nullptr, std::move(schema)});
}

PlanPointer from_glob(FromGlob node) {
  if (node.patterns.empty())
    throw RequestError("from_glob_path: no patterns; give a path such as photos/**/*.jpg");
  Schema schema;
  schema.fields = {{"path", {TypeKind::kString}, false},
                   {"size", {TypeKind::kInt64}},
                   {"num_rows", {TypeKind::kInt64}}};
  return std::make_shared<LogicalPlan>(LogicalPlan{std::move(node), nullptr, std::move(schema)});
}

PlanPointer read_parquet(ReadParquet node) {
  refuse_same_names(node.schema, "read_parquet: '" + node.files.front() + "'");
  Schema schema = node.schema;
  schema.metadata.clear();
  return std::make_shared<LogicalPlan>(LogicalPlan{std::move(node), nullptr, std::move(schema)});
}

PlanPointer from_memory(FromMemory node) {
  refuse_same_names(node.schema, "data");
  Schema schema = node.schema;
  schema.metadata.clear();
  return std::make_shared<LogicalPlan>(LogicalPlan{std::move(node), nullptr, std::move(schema)});
}

PlanPointer with_column(PlanPointer input, WithColumn node, const RelationalSource& relational) {
  if (node.name.empty())
    throw RequestError("with_column: the name is empty; give the new column a name");
  const DataType type = type_of(*node.expression, input->schema, relational);
  Schema schema = input->schema;
  put(schema, {node.name, type});
  if (const auto* call = std::get_if<EmbedCall>(&node.expression->value);
      call != nullptr && call->error_column) {
    if (*call->error_column == node.name) {
      throw RequestError("error_column: '" + node.name +
                         "' is the name of the embedding column too; choose another");
    }
    put(schema, {*call->error_column, {TypeKind::kString}});
  }
  return std::make_shared<LogicalPlan>(
      LogicalPlan{std::move(node), std::move(input), std::move(schema)});
}

namespace {

// A node whose result has the columns of its input.
template <class Node>
PlanPointer same_columns(PlanPointer input, Node node) {
  Schema schema = input->schema;
  return std::make_shared<LogicalPlan>(
      LogicalPlan{std::move(node), std::move(input), std::move(schema)});
}

}  // namespace

PlanPointer limit(PlanPointer input, Limit node) {
  if (node.count < 0) {
    throw RequestError("limit: " + std::to_string(node.count) +
                       " is negative; give the number of rows to keep");
  }
  return same_columns(std::move(input), node);
}

PlanPointer select(PlanPointer input, Select node, const RelationalSource& relational) {
  if (node.columns.empty()) throw RequestError("select: no columns; name at least one");
  Schema schema;
  for (const NamedExpression& column : node.columns) {
    const DataType type = type_of(*column.expression, input->schema, relational);
    if (schema.find(column.name) >= 0)
      throw RequestError("select: column '" + column.name + "' is named twice; name it once");
    const auto* reference = std::get_if<ColumnReference>(&column.expression->value);
    const bool nullable = reference == nullptr || field_of(input->schema, reference->name).nullable;
    schema.fields.push_back({column.name, type, nullable});
  }
  return std::make_shared<LogicalPlan>(
      LogicalPlan{std::move(node), std::move(input), std::move(schema)});
}

PlanPointer where(PlanPointer input, Where node, const RelationalSource& relational) {
  const DataType type = type_of(*node.predicate, input->schema, relational);
  if (type.kind != TypeKind::kBoolean)
    throw RequestError("where: " + to_string(*node.predicate) + " has type " + type.to_string() +
                       ", but a Boolean is needed; compare it with something");
  return same_columns(std::move(input), std::move(node));
}

PlanPointer sort(PlanPointer input, Sort node) {
  if (node.keys.empty()) throw RequestError("sort: no columns; name at least one");
  for (const storage::SortKey& key : node.keys) {
    const DataType& type = field_of(input->schema, key.column).type;
    if (type.kind == TypeKind::kImage || type.kind == TypeKind::kEmbedding)
      throw RequestError("sort: column '" + key.column + "' of type " + type.to_string() +
                         " has no order; sort by a number or a text");
  }
  return same_columns(std::move(input), std::move(node));
}

PlanPointer sample(PlanPointer input, Sample node) {
  if (node.fraction.has_value() == node.size.has_value())
    throw RequestError("sample: give either a fraction or a number of rows");
  if (node.fraction && !(*node.fraction >= 0 && *node.fraction <= 1))
    throw RequestError(
        fmt::format("sample: fraction={} is out of range; give 0 to 1", *node.fraction));
  if (node.size && *node.size < 0)
    throw RequestError(fmt::format("sample: size={} is negative", *node.size));
  return same_columns(std::move(input), node);
}

namespace {

// The first difference of two lists of columns that are not the same.
std::string difference_of(const std::vector<Field>& a, const std::vector<Field>& b) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    if (i >= a.size()) return "the second has '" + b[i].name + "' besides";
    if (i >= b.size()) return "the first has '" + a[i].name + "' besides";
    if (a[i].name != b[i].name) return "'" + a[i].name + "' and '" + b[i].name + "'";
    if (!(a[i].type == b[i].type))
      return "'" + a[i].name + "' is " + a[i].type.to_string() + " and " + b[i].type.to_string();
  }
  return "none";
}

}  // namespace

PlanPointer concat(PlanPointer input, Concat node) {
  const std::vector<Field>&a = input->schema.fields, &b = node.other->schema.fields;
  const bool same = std::equal(
      a.begin(), a.end(), b.begin(), b.end(),
      [](const Field& x, const Field& y) { return x.name == y.name && x.type == y.type; });
  if (!same)
    throw RequestError("concat: the two dataframes have different columns or types (" +
                       difference_of(a, b) + "); select() the same columns of both, in one order");
  Schema schema = input->schema;
  for (std::size_t i = 0; i < a.size(); ++i)
    schema.fields[i].nullable = a[i].nullable || b[i].nullable;
  return std::make_shared<LogicalPlan>(
      LogicalPlan{std::move(node), std::move(input), std::move(schema)});
}

PlanPointer drop_nulls(PlanPointer input, DropNulls node) {
  if (node.columns.empty())
    for (const Field& field : input->schema.fields) node.columns.push_back(field.name);
  for (const std::string& name : node.columns) field_of(input->schema, name);
  return same_columns(std::move(input), std::move(node));
}

}  // namespace vecframe::plan
