#include "exec/map_step.h"

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

#include "exec/embed_rows.h"
#include "exec/parallel_map.h"

namespace vecframe::exec {
namespace {

using columnar::Morsel;
using columnar::Schema;

// The input's columns in another order.
class Reordered final : public Operator {
 public:
  Reordered(std::unique_ptr<Operator> input, std::vector<std::size_t> order)
      : input_(std::move(input)), order_(std::move(order)) {}

  std::optional<Morsel> next() override {
    std::optional<Morsel> morsel = input_->next();
    if (!morsel) return std::nullopt;
    Morsel result{{}, morsel->num_rows};
    for (const std::size_t column : order_)
      result.columns.push_back(std::move(morsel->columns[column]));
    return result;
  }

 private:
  const std::unique_ptr<Operator> input_;
  const std::vector<std::size_t> order_;
};

void add_fields(const plan::ComputedColumn& column, Schema& schema) {
  schema.fields.push_back({column.column, column.type});
  const auto* call = std::get_if<plan::EmbedCall>(&column.node->value);
  if (call != nullptr && call->error_column)
    schema.fields.push_back({plan::error_column_of(column.column), {columnar::TypeKind::kString}});
}

}  // namespace

std::unique_ptr<Operator> open_map(std::unique_ptr<Operator> input, const Schema& input_schema,
                                   const plan::MapStep& step, const StepContext& context,
                                   bool ordered) {
  plan::MapStep own;
  std::vector<plan::ComputedColumn> of_providers;
  Schema wanted = input_schema;
  for (const plan::ComputedColumn& column : step.columns) {
    add_fields(column, wanted);
    (is_of_provider(column) ? of_providers : own.columns).push_back(column);
  }
  Schema schema = input_schema;
  if (!own.columns.empty()) {
    input = make_parallel_map(std::move(input), input_schema, own, context, ordered);
    for (const plan::ComputedColumn& column : own.columns) add_fields(column, schema);
  }
  for (const plan::ComputedColumn& column : of_providers) {
    input = make_embed_rows(std::move(input), schema, column, context, ordered);
    add_fields(column, schema);
  }
  std::vector<std::size_t> order;
  bool in_order = true;
  for (const columnar::Field& field : wanted.fields) {
    const auto at = static_cast<std::size_t>(schema.find(field.name));
    in_order = in_order && at == order.size();
    order.push_back(at);
  }
  if (in_order) return input;
  return std::make_unique<Reordered>(std::move(input), std::move(order));
}

}  // namespace vecframe::exec
