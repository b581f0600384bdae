#include "io/sort_rows.h"

#include <arrow/array/array_primitive.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_scalar.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/compute/ordering.h>
#include <arrow/memory_pool.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>
#include <vecframe/error.h>

#include <memory>
#include <numeric>
#include <string>
#include <utility>

#include "io/arrow_morsel.h"
#include "io/column_names.h"

namespace vecframe::io {
namespace {

using TypePointer = std::shared_ptr<arrow::DataType>;

// The type whose order is that of the values, which the library sorts by; null if they have none.
TypePointer ordered_type(const TypePointer& type) {
  switch (type->id()) {
    case arrow::Type::DICTIONARY:
      return ordered_type(static_cast<const arrow::DictionaryType&>(*type).value_type());
    case arrow::Type::STRING_VIEW:
      return arrow::large_utf8();
    case arrow::Type::BINARY_VIEW:
      return arrow::large_binary();
    case arrow::Type::HALF_FLOAT:
      return arrow::float32();
    case arrow::Type::INTERVAL_MONTHS:
    case arrow::Type::INTERVAL_DAY_TIME:
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return nullptr;
    default:
      return arrow::is_primitive(type->id()) || arrow::is_base_binary_like(type->id()) ||
                     arrow::is_fixed_size_binary(type->id()) || type->id() == arrow::Type::NA
                 ? type
                 : nullptr;
  }
}

class SortTable {
 public:
  explicit SortTable(std::span<const columnar::Morsel> morsels) : morsels_(morsels) {
    for (const columnar::Morsel& morsel : morsels) num_rows_ += morsel.num_rows;
    execution_.set_use_threads(false);
  }

  void add(const columnar::Schema& schema, const storage::SortKey& key) {
    const int found = schema.find(key.column);
    if (found < 0) throw RequestError("sort: " + no_column(key.column, schema));
    const columnar::Field& field = schema.fields[static_cast<std::size_t>(found)];
    const bool foreign_extension = field.type.kind == columnar::TypeKind::kEmbedding ||
                                   field.type.kind == columnar::TypeKind::kImage;
    const TypePointer type = storage_type(field.type);
    const TypePointer ordered = foreign_extension ? nullptr : ordered_type(type);
    if (ordered == nullptr)
      throw RequestError(
          "sort: column '" + key.column + "' of type " + field.type.to_string() +
          " has no order; sort by a column of numbers, texts, times or truth values");
    arrow::ArrayVector chunks;
    for (const columnar::Morsel& morsel : morsels_) {
      auto array = import_array(morsel.columns[static_cast<std::size_t>(found)], type);
      if (!ordered->Equals(*type))
        array = check(
            arrow::compute::Cast(*array, ordered, arrow::compute::CastOptions::Safe(), &execution_),
            "sorting by column '" + key.column + "'");
      chunks.push_back(std::move(array));
    }
    const auto order = key.descending ? arrow::compute::SortOrder::Descending
                                      : arrow::compute::SortOrder::Ascending;
    if (key.nulls_first && arrow::is_floating(ordered->id())) {
      // The library would put NaN before numbers too; so nulls come first by a key of their own.
      arrow::ArrayVector valid;
      for (const auto& chunk : chunks)
        valid.push_back(check(arrow::compute::CallFunction("is_valid", {chunk}, &execution_),
                              "sorting by column '" + key.column + "'")
                            .make_array());
      add_column(std::move(valid), arrow::boolean(), arrow::compute::SortOrder::Ascending, false);
      add_column(std::move(chunks), ordered, order, false);
      return;
    }
    add_column(std::move(chunks), ordered, order, key.nulls_first);
  }

  std::vector<std::int64_t> sorted() {
    std::vector<std::int64_t> rows(static_cast<std::size_t>(num_rows_));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    if (keys_.empty() || num_rows_ < 2) return rows;
    const auto table = arrow::Table::Make(arrow::schema(fields_), columns_, num_rows_);
    const auto indices =
        check(arrow::compute::SortIndices(table, arrow::compute::SortOptions(keys_), &execution_),
              "sorting");
    const auto& numbers = static_cast<const arrow::UInt64Array&>(*indices);
    for (std::int64_t i = 0; i < num_rows_; ++i)
      rows[static_cast<std::size_t>(i)] = static_cast<std::int64_t>(numbers.Value(i));
    return rows;
  }

 private:
  void add_column(arrow::ArrayVector chunks, const TypePointer& type,
                  arrow::compute::SortOrder order, bool nulls_first) {
    const std::string name = std::to_string(fields_.size());
    fields_.push_back(arrow::field(name, type));
    columns_.push_back(std::make_shared<arrow::ChunkedArray>(std::move(chunks), type));
    keys_.emplace_back(arrow::FieldRef(name), order,
                       nulls_first ? arrow::compute::NullPlacement::AtStart
                                   : arrow::compute::NullPlacement::AtEnd);
  }

  std::span<const columnar::Morsel> morsels_;
  std::int64_t num_rows_ = 0;
  arrow::compute::ExecContext execution_{arrow::system_memory_pool()};
  arrow::FieldVector fields_;
  arrow::ChunkedArrayVector columns_;
  std::vector<arrow::compute::SortKey> keys_;
};

}  // namespace

std::vector<std::int64_t> sort_rows(const columnar::Schema& schema,
                                    std::span<const columnar::Morsel> morsels,
                                    std::span<const storage::SortKey> keys) {
  SortTable table(morsels);
  for (const storage::SortKey& key : keys) table.add(schema, key);
  return table.sorted();
}

}  // namespace vecframe::io
