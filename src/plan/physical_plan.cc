#include "plan/physical_plan.h"

#include <vecframe/error.h>

#include <algorithm>
#include <utility>

namespace vecframe::plan {
namespace {

void put(std::vector<BoundColumn>& columns, BoundColumn column) {
  for (BoundColumn& known : columns) {
    if (known.name == column.name) {
      known = std::move(column);
      return;
    }
  }
  columns.push_back(std::move(column));
}

const BoundColumn& find(const std::vector<BoundColumn>& columns, const std::string& name) {
  return *std::find_if(columns.begin(), columns.end(),
                       [&](const BoundColumn& c) { return c.name == name; });
}

// Lowers the input first, so that a node sees the columns below it.
struct Lowering {
  PhysicalPlan result;

  void visit(const LogicalPlan& plan) {
    if (plan.input) visit(*plan.input);
    std::visit([this](const auto& node) { lower(node); }, plan.node);
  }

  void lower(const ReadImages& node) {
    result.read = node;
    result.columns = {{"path", ColumnSource::kPath},
                      {"image", ColumnSource::kImage},
                      {"width", ColumnSource::kWidth},
                      {"height", ColumnSource::kHeight},
                      {"format", ColumnSource::kFormat}};
  }

  void lower(const ReadTexts& node) {
    result.read = node;
    result.columns = {{"text", ColumnSource::kText}};
  }

  void lower(const WithColumn& node) {
    if (const auto* column = std::get_if<ColumnReference>(&node.expression->value)) {
      put(result.columns, {node.name, find(result.columns, column->name).source});
      return;
    }
    const auto& call = std::get<EmbedCall>(node.expression->value);
    if (result.embed) {
      throw RequestError("with_column: '" + node.name +
                         "' is a second embedding in one plan; run one plan for each");
    }
    check_argument(call);
    result.embed = call;
    put(result.columns, {node.name, ColumnSource::kEmbedding});
    if (call.error_column) put(result.columns, {*call.error_column, ColumnSource::kError});
  }

  void check_argument(const EmbedCall& call) const {
    if (call.function == EmbedFunction::kImage) return;
    const auto* column = std::get_if<ColumnReference>(&call.argument->value);
    if (column != nullptr && find(result.columns, column->name).source == ColumnSource::kText)
      return;
    throw RequestError("embed_text: " + to_string(*call.argument) +
                       " is not a column of read_texts; only such columns can be embedded");
  }

  void lower(const Limit& node) {
    result.limit = std::min(result.limit.value_or(node.count), node.count);
  }

  void lower(const Select& node) {
    std::vector<BoundColumn> selected;
    for (const NamedExpression& column : node.columns) {
      const auto& reference = std::get<ColumnReference>(column.expression->value);
      selected.push_back({column.name, find(result.columns, reference.name).source});
    }
    result.columns = std::move(selected);
  }

  // is_file_job() lets no other node through.
  template <class Node>
  void lower(const Node& /*node*/) {}
};

bool is_file_step(const LogicalPlan& plan) {
  if (const auto* node = std::get_if<WithColumn>(&plan.node)) {
    const auto& value = node->expression->value;
    if (std::holds_alternative<ColumnReference>(value)) return true;
    const auto* call = std::get_if<EmbedCall>(&value);
    return call != nullptr && call->handle == nullptr &&
           std::holds_alternative<ColumnReference>(call->argument->value);
  }
  if (const auto* node = std::get_if<Select>(&plan.node)) {
    return std::all_of(node->columns.begin(), node->columns.end(), [](const auto& column) {
      return std::holds_alternative<ColumnReference>(column.expression->value);
    });
  }
  return std::holds_alternative<ReadImages>(plan.node) ||
         std::holds_alternative<ReadTexts>(plan.node) || std::holds_alternative<Limit>(plan.node);
}

// Columns of pictures are lost in the output of a job over files.
bool shows_pictures(const LogicalPlan& plan) {
  const auto& fields = plan.schema.fields;
  return std::any_of(fields.begin(), fields.end(), [](const columnar::Field& field) {
    return field.type.kind == columnar::TypeKind::kImage && field.name != "image";
  });
}

}  // namespace

bool is_file_job(const LogicalPlan& plan) {
  int embeddings = 0;
  for (const LogicalPlan* node = &plan; node != nullptr; node = node->input.get()) {
    if (!is_file_step(*node)) return false;
    const auto* column = std::get_if<WithColumn>(&node->node);
    if (column != nullptr && std::holds_alternative<EmbedCall>(column->expression->value))
      ++embeddings;
  }
  return embeddings <= 1 && !shows_pictures(plan);
}

PhysicalPlan lower(const LogicalPlan& plan) {
  Lowering lowering;
  lowering.visit(plan);
  std::erase_if(lowering.result.columns,
                [](const BoundColumn& c) { return c.source == ColumnSource::kImage; });
  // A vector that nobody takes is not computed.
  const bool taken = std::any_of(
      lowering.result.columns.begin(), lowering.result.columns.end(), [](const BoundColumn& c) {
        return c.source == ColumnSource::kEmbedding || c.source == ColumnSource::kError;
      });
  if (!taken) lowering.result.embed.reset();
  return std::move(lowering.result);
}

}  // namespace vecframe::plan
