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
    for (const std::string& name : node.columns) selected.push_back(find(result.columns, name));
    result.columns = std::move(selected);
  }
};

}  // namespace

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
