// Plans that the tests of this folder have in common.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plan/expression_walk.h"
#include "plan/function_table.h"
#include "plan/logical_plan.h"

namespace vecframe::plan {

// Types of the few scalar functions that these tests use.
class FakeRelational final : public storage::Relational {
 public:
  columnar::DataType type_of(const columnar::ScalarExpression&,
                             const columnar::Schema&) const override {
    return {columnar::TypeKind::kBoolean};
  }
  // True, in every row.
  columnar::ArrayPointer evaluate(const columnar::ScalarExpression&, const columnar::Schema&,
                                  const columnar::Morsel& morsel) const override {
    columnar::ColumnBuilder builder({columnar::TypeKind::kBoolean});
    for (std::int64_t i = 0; i < morsel.num_rows; ++i) builder.append_boolean(true);
    ArrowArray array;
    builder.finish(&array);
    return columnar::share(array);
  }
  columnar::Morsel filter(const columnar::Schema&, const columnar::Morsel& morsel,
                          const columnar::ArrayPointer&) const override {
    return morsel;
  }
  columnar::Morsel take(const columnar::Schema&, std::span<const columnar::Morsel>,
                        std::span<const std::int64_t>) const override {
    return {};
  }
  std::vector<std::int64_t> sort_rows(const columnar::Schema&, std::span<const columnar::Morsel>,
                                      std::span<const storage::SortKey>) const override {
    return {};
  }
  columnar::Morsel slice(const columnar::Morsel& morsel, std::int64_t,
                         std::int64_t) const override {
    return morsel;
  }
};

inline const RelationalSource kRelational = []() -> const storage::Relational& {
  static const FakeRelational relational;
  return relational;
};

inline NodePointer column(const std::string& name) {
  return std::make_shared<ExpressionNode>(ExpressionNode{ColumnReference{name}});
}

inline NodePointer call(const std::string& name, std::vector<NodePointer> arguments,
                        std::map<std::string, columnar::Literal> options = {}) {
  return std::make_shared<ExpressionNode>(
      ExpressionNode{with_defaults({name, std::move(arguments), std::move(options)})});
}

inline NodePointer embed(NodePointer argument, std::optional<std::string> error_column = {}) {
  EmbedCall node;
  node.argument = std::move(argument);
  node.model = "m";
  node.dimension = 8;
  node.error_column = std::move(error_column);
  return std::make_shared<ExpressionNode>(ExpressionNode{std::move(node)});
}

inline PlanPointer products() {
  FromMemory node;
  node.schema.fields = {{"sku", {columnar::TypeKind::kInt64}},
                        {"url", {columnar::TypeKind::kString}},
                        {"price", {columnar::TypeKind::kFloat64}}};
  node.morsels = std::make_shared<std::vector<columnar::Morsel>>();
  return from_memory(std::move(node));
}

inline PlanPointer with_pictures() {
  return with_column(products(),
                     {"image", call("decode_image", {call("download", {column("url")})})});
}

inline PlanPointer chosen(PlanPointer input, const std::vector<std::string>& names) {
  Select node;
  for (const std::string& name : names) node.columns.push_back({name, column(name)});
  return select(std::move(input), std::move(node), kRelational);
}

inline std::vector<std::string> names_of(const columnar::Schema& schema) {
  std::vector<std::string> names;
  for (const columnar::Field& field : schema.fields) names.push_back(field.name);
  return names;
}

}  // namespace vecframe::plan
