// Batches of a Parquet file in the order that was asked for.
#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>

#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace vecframe::io {

/// Columns of the inner reader, in the order they were asked for instead of the file's.
class ParquetColumns final : public arrow::RecordBatchReader {
 public:
  ParquetColumns(std::shared_ptr<arrow::RecordBatchReader> inner,
                 std::shared_ptr<parquet::arrow::FileReader> file, std::vector<int> order)
      : file_(std::move(file)), inner_(std::move(inner)), order_(std::move(order)) {
    arrow::FieldVector fields;
    for (const int index : order_) fields.push_back(inner_->schema()->field(index));
    schema_ = arrow::schema(std::move(fields));
  }
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    try {
      ARROW_RETURN_NOT_OK(inner_->ReadNext(out));
    } catch (const std::exception& error) {
      return arrow::Status::IOError(error.what());
    }
    if (*out == nullptr) return arrow::Status::OK();
    return (*out)->SelectColumns(order_).Value(out);
  }

 private:
  std::shared_ptr<parquet::arrow::FileReader>
      file_;  // outlives the inner reader, which points into it
  std::shared_ptr<arrow::RecordBatchReader> inner_;
  std::vector<int> order_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace vecframe::io
