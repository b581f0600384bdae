#include "io/take_rows.h"

#include <arrow/array/array_primitive.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/api_vector.h>
#include <arrow/compute/cast.h>
#include <arrow/compute/exec.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include <algorithm>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace vecframe::io {
namespace {

using ArrayPointer = std::shared_ptr<arrow::Array>;
using TypePointer = std::shared_ptr<arrow::DataType>;

arrow::compute::ExecContext context() {
  arrow::compute::ExecContext context(arrow::system_memory_pool());
  context.set_use_threads(false);
  return context;
}

ArrayPointer array_of(std::vector<std::int64_t> values) {
  const auto length = static_cast<std::int64_t>(values.size());
  return std::make_shared<arrow::Int64Array>(length, arrow::Buffer::FromVector(std::move(values)));
}

bool is_view(const arrow::DataType& type) {
  return type.id() == arrow::Type::STRING_VIEW || type.id() == arrow::Type::BINARY_VIEW;
}

// A view is sixteen bytes that may point into buffers which the result can share.
arrow::Result<ArrayPointer> take_views(const arrow::Array& array, const ArrayPointer& rows) {
  const arrow::ArrayData& data = *array.data();
  auto fixed =
      arrow::ArrayData::Make(arrow::fixed_size_binary(16), data.length,
                             {data.buffers[0], data.buffers[1]}, data.null_count, data.offset);
  ARROW_ASSIGN_OR_RAISE(const auto taken, take_rows(arrow::MakeArray(std::move(fixed)), rows));
  std::shared_ptr<arrow::ArrayData> result = taken->data()->Copy();
  result->type = data.type;
  result->buffers.insert(result->buffers.end(), data.buffers.begin() + 2, data.buffers.end());
  return arrow::MakeArray(std::move(result));
}

// The type with offsets in place of views, or the type itself.
TypePointer without_views(const TypePointer& type) {
  const auto field = [](const std::shared_ptr<arrow::Field>& child) {
    return child->WithType(without_views(child->type()));
  };
  switch (type->id()) {
    case arrow::Type::STRING_VIEW:
      return arrow::large_utf8();
    case arrow::Type::BINARY_VIEW:
      return arrow::large_binary();
    case arrow::Type::LIST:
      return arrow::list(field(type->field(0)));
    case arrow::Type::LARGE_LIST:
      return arrow::large_list(field(type->field(0)));
    case arrow::Type::FIXED_SIZE_LIST:
      return arrow::fixed_size_list(
          field(type->field(0)), static_cast<const arrow::FixedSizeListType&>(*type).list_size());
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& child : type->fields()) fields.push_back(field(child));
      return arrow::struct_(std::move(fields));
    }
    default:
      return type;
  }
}

// Whatever the type: runs of neighbouring rows, one after the other.
arrow::Result<ArrayPointer> take_runs(const ArrayPointer& array, const arrow::Int64Array& rows) {
  arrow::ArrayVector runs;
  for (std::int64_t begin = 0; begin < rows.length();) {
    std::int64_t end = begin + 1;
    while (end < rows.length() && rows.Value(end) == rows.Value(end - 1) + 1) ++end;
    runs.push_back(array->Slice(rows.Value(begin), end - begin));
    begin = end;
  }
  if (runs.empty()) return array->Slice(0, 0);
  return arrow::Concatenate(runs, arrow::system_memory_pool());
}

}  // namespace

arrow::Result<ArrayPointer> take_rows(const ArrayPointer& array, const ArrayPointer& rows) {
  if (is_view(*array->type())) return take_views(*array, rows);
  auto execution = context();
  const auto options = arrow::compute::TakeOptions::NoBoundsCheck();
  const TypePointer plain = without_views(array->type());
  if (plain->Equals(*array->type())) {
    auto taken = arrow::compute::Take(*array, *rows, options, &execution);
    if (taken.ok() || !taken.status().IsNotImplemented()) return taken;
    return take_runs(array, static_cast<const arrow::Int64Array&>(*rows));
  }
  const auto cast = [&](const ArrayPointer& values, const TypePointer& type) {
    return arrow::compute::Cast(*values, type, arrow::compute::CastOptions::Safe(), &execution);
  };
  auto values = cast(array, plain);
  if (!values.ok()) return take_runs(array, static_cast<const arrow::Int64Array&>(*rows));
  ARROW_ASSIGN_OR_RAISE(const auto taken,
                        arrow::compute::Take(**values, *rows, options, &execution));
  return cast(taken, array->type());
}

RowPlan::RowPlan(std::span<const std::int64_t> lengths, std::span<const std::int64_t> rows) {
  std::vector<std::int64_t> begins{0};  // of the arrays, and the end
  for (const std::int64_t length : lengths) begins.push_back(begins.back() + length);
  std::vector<std::vector<std::int64_t>> wanted(lengths.size());
  std::vector<std::size_t> array_of_row;
  array_of_row.reserve(rows.size());
  std::size_t array = 0;
  for (const std::int64_t row : rows) {
    if (row < 0 || row >= begins.back()) throw std::out_of_range("a row beyond the morsels");
    if (row < begins[array] || row >= begins[array + 1]) {
      const auto above = std::upper_bound(begins.begin(), begins.end(), row);
      array = static_cast<std::size_t>(above - begins.begin()) - 1;
    }
    wanted[array].push_back(row - begins[array]);
    array_of_row.push_back(array);
  }
  std::vector<std::int64_t> next;  // place of each array's next row among the parts' rows
  std::int64_t place = 0;
  for (const auto& part : wanted) {
    next.push_back(place);
    place += static_cast<std::int64_t>(part.size());
  }
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (!wanted[i].empty()) parts_.push_back({i, array_of(std::move(wanted[i]))});
  if (std::is_sorted(array_of_row.begin(), array_of_row.end())) return;
  std::vector<std::int64_t> order;
  order.reserve(rows.size());
  for (const std::size_t i : array_of_row) order.push_back(next[i]++);
  order_ = array_of(std::move(order));
}

arrow::Result<ArrayPointer> RowPlan::take(const std::vector<ArrayPointer>& arrays) const {
  if (parts_.empty()) return arrays.front()->Slice(0, 0);
  arrow::ArrayVector taken;
  for (const Part& part : parts_) {
    ARROW_ASSIGN_OR_RAISE(auto rows, take_rows(arrays[part.array], part.rows));
    taken.push_back(std::move(rows));
  }
  if (taken.size() == 1) return taken.front();
  ARROW_ASSIGN_OR_RAISE(auto together, arrow::Concatenate(taken, arrow::system_memory_pool()));
  if (order_ == nullptr) return together;
  taken.clear();
  return take_rows(together, order_);
}

}  // namespace vecframe::io
