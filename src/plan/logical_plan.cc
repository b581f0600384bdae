#include "plan/logical_plan.h"

#include <vecframe/error.h>

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

std::string describe(const ReadImages& node) {
  std::string text = "ReadImages: ";
  for (std::size_t i = 0; i < node.inputs.size(); ++i) {
    if (i == 3) return text + ", ... (" + std::to_string(node.inputs.size()) + " inputs)";
    text += (i == 0 ? "" : ", ") + node.inputs[i];
  }
  return text + (node.options.apply_orientation ? "" : ", orientation ignored");
}

std::string describe(const ReadTexts& node) {
  return "ReadTexts: " + (node.path == "-" ? "standard input" : node.path);
}

std::string describe(const WithColumn& node) {
  return "WithColumn: " + node.name + " = " + to_string(*node.expression);
}

std::string describe(const Limit& node) { return "Limit: " + std::to_string(node.count); }

std::string describe(const Select& node) {
  std::string text = "Select: ";
  for (std::size_t i = 0; i < node.columns.size(); ++i)
    text += (i == 0 ? "" : ", ") + node.columns[i];
  return text;
}

}  // namespace

PlanPointer read_images(ReadImages node) {
  if (node.inputs.empty())
    throw RequestError("read_images: no inputs; name a file, a glob or a directory");
  if (node.options.max_pixels == 0)
    throw RequestError("max_pixels: 0 would refuse every picture; give a positive count");
  Schema schema;
  schema.fields = {{"path", {TypeKind::kString}, /*nullable=*/false},
                   {"image", {TypeKind::kImage, 0, {}, {.mode = 3}}},
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

PlanPointer with_column(PlanPointer input, WithColumn node) {
  if (node.name.empty())
    throw RequestError("with_column: the name is empty; give the new column a name");
  const DataType type = type_of(*node.expression, input->schema);
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

PlanPointer limit(PlanPointer input, Limit node) {
  if (node.count < 0) {
    throw RequestError("limit: " + std::to_string(node.count) +
                       " is negative; give the number of rows to keep");
  }
  Schema schema = input->schema;
  return std::make_shared<LogicalPlan>(LogicalPlan{node, std::move(input), std::move(schema)});
}

PlanPointer select(PlanPointer input, Select node) {
  if (node.columns.empty()) throw RequestError("select: no columns; name at least one");
  Schema schema;
  for (const std::string& name : node.columns) {
    type_of(ExpressionNode{ColumnReference{name}}, input->schema);  // throws for an unknown name
    if (schema.find(name) >= 0)
      throw RequestError("select: column '" + name + "' is named twice; name it once");
    schema.fields.push_back(
        input->schema.fields[static_cast<std::size_t>(input->schema.find(name))]);
  }
  return std::make_shared<LogicalPlan>(
      LogicalPlan{std::move(node), std::move(input), std::move(schema)});
}

std::string explain(const LogicalPlan& plan) {
  std::string text = "Schema: ";
  for (std::size_t i = 0; i < plan.schema.fields.size(); ++i) {
    const Field& field = plan.schema.fields[i];
    text += (i == 0 ? "" : ", ") + field.name + " " + field.type.to_string();
  }
  text += '\n';
  std::string indent;
  for (const LogicalPlan* node = &plan; node != nullptr; node = node->input.get()) {
    text +=
        indent + std::visit([](const auto& value) { return describe(value); }, node->node) + '\n';
    indent += "  ";
  }
  return text;
}

}  // namespace vecframe::plan
