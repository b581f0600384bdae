// Rows of arrays by number.
#pragma once

#include <arrow/array/array_base.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace vecframe::io {

/// For any type of array: views, runs and unions too. Every row is within it.
arrow::Result<std::shared_ptr<arrow::Array>> take_rows(const std::shared_ptr<arrow::Array>& array,
                                                       const std::shared_ptr<arrow::Array>& rows);

/// Where rows of several arrays taken together lie: what to take of each, and how to order it.
class RowPlan {
 public:
  /// `lengths` of the arrays. Throws std::out_of_range.
  RowPlan(std::span<const std::int64_t> lengths, std::span<const std::int64_t> rows);
  /// The rows of these arrays, of the lengths given.
  arrow::Result<std::shared_ptr<arrow::Array>> take(
      const std::vector<std::shared_ptr<arrow::Array>>& arrays) const;

 private:
  struct Part {
    std::size_t array;
    std::shared_ptr<arrow::Array> rows;
  };
  std::vector<Part> parts_;              // of arrays that have a row in the result
  std::shared_ptr<arrow::Array> order_;  // of the parts' rows; null: as they are
};

}  // namespace vecframe::io
