#include "io/relational.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/initialize.h>
#include <arrow/memory_pool.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <stdexcept>
#include <utility>

#include "io/arrow_morsel.h"
#include "io/bound_expression.h"
#include "io/sort_rows.h"
#include "io/take_rows.h"

namespace vecframe::io {
namespace {

using columnar::Morsel;
using columnar::Schema;

class ArrowRelational final : public storage::Relational {
 public:
  ArrowRelational() { check(arrow::compute::Initialize(), "starting the table engine"); }

  columnar::DataType type_of(const columnar::ScalarExpression& expression,
                             const Schema& schema) const override {
    const BoundExpression bound = bind(expression, schema);
    if (bound.column >= 0) return schema.fields[static_cast<std::size_t>(bound.column)].type;
    return io::type_of(*bound.type);
  }

  columnar::ArrayPointer evaluate(const columnar::ScalarExpression& expression,
                                  const Schema& schema, const Morsel& morsel) const override {
    const BoundExpression bound = bind(expression, schema);
    if (bound.column >= 0) return morsel.columns[static_cast<std::size_t>(bound.column)];
    const arrow::Datum result = io::evaluate(bound, morsel);
    if (result.is_array()) return export_array(*result.make_array());
    return export_array(*check(
        arrow::MakeArrayFromScalar(*result.scalar(), morsel.num_rows, arrow::system_memory_pool()),
        "repeating a value"));
  }

  Morsel filter(const Schema& schema, const Morsel& morsel,
                const columnar::ArrayPointer& mask) const override {
    const auto wanted = import_array(mask, arrow::boolean());
    if (wanted->length() != morsel.num_rows)
      throw std::invalid_argument("a mask of another length than the morsel");
    const std::int64_t count = static_cast<const arrow::BooleanArray&>(*wanted).true_count();
    if (count == morsel.num_rows) return morsel;
    std::vector<std::int64_t> rows;
    rows.reserve(static_cast<std::size_t>(count));
    const auto& truth = static_cast<const arrow::BooleanArray&>(*wanted);
    for (std::int64_t i = 0; i < morsel.num_rows; ++i)
      if (truth.IsValid(i) && truth.Value(i)) rows.push_back(i);
    return take(schema, {&morsel, 1}, rows);
  }

  Morsel take(const Schema& schema, std::span<const Morsel> morsels,
              std::span<const std::int64_t> rows) const override {
    std::vector<std::int64_t> lengths;
    for (const Morsel& morsel : morsels) lengths.push_back(morsel.num_rows);
    const RowPlan plan(lengths, rows);
    Morsel result{{}, static_cast<std::int64_t>(rows.size())};
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      const auto type = storage_type(schema.fields[i].type);
      const std::string action = "taking rows of column '" + schema.fields[i].name + "'";
      arrow::ArrayVector arrays;
      for (const Morsel& morsel : morsels) arrays.push_back(import_array(morsel.columns[i], type));
      if (arrays.empty()) arrays.push_back(check(arrow::MakeEmptyArray(type), action));
      result.columns.push_back(export_array(*check(plan.take(arrays), action)));
    }
    return result;
  }

  std::vector<std::int64_t> sort_rows(const Schema& schema, std::span<const Morsel> morsels,
                                      std::span<const storage::SortKey> keys) const override {
    return io::sort_rows(schema, morsels, keys);
  }

  Morsel slice(const Morsel& morsel, std::int64_t first, std::int64_t count) const override {
    if (first < 0 || count < 0 || first > morsel.num_rows - count)
      throw std::out_of_range("a slice beyond the morsel");
    if (count == morsel.num_rows) return morsel;
    if (morsel.columns.empty()) return {{}, count};
    ArrowArray window;
    columnar::export_morsel(morsel, &window);
    window.offset = count == 0 ? 0 : first;
    window.length = count;
    // No rows begin anywhere; some readers want the buffers to reach that far all the same.
    for (std::int64_t i = 0; count == 0 && i < window.n_children; ++i)
      window.children[i]->offset = 0;
    return columnar::morsel_of(window);
  }
};

}  // namespace

storage::Relational& relational() {
  static ArrowRelational one;
  return one;
}

}  // namespace vecframe::io
