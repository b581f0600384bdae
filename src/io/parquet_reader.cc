#include "io/parquet_reader.h"

#include <arrow/c/bridge.h>
#include <arrow/extension_type.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>
#include <vecframe/error.h>

#include <algorithm>
#include <exception>
#include <utility>
#include <vector>

#include "storage/local_file.h"
#include "tensor/dtype.h"

namespace vecframe::io {
namespace {

// Rows a batch: a thousand vectors of 1280 values are 5 MiB.
constexpr std::int64_t kBatchRows = 1024;

columnar::DataType to_type(const arrow::DataType& type) {
  using columnar::TypeKind;
  switch (type.id()) {
    case arrow::Type::STRING:
      return {TypeKind::kString};
    case arrow::Type::INT64:
      return {TypeKind::kInt64};
    case arrow::Type::UINT32:
      return {TypeKind::kUInt32};
    case arrow::Type::FIXED_SIZE_LIST: {
      const auto& list = static_cast<const arrow::FixedSizeListType&>(type);
      if (list.value_type()->id() == arrow::Type::FLOAT)
        return {TypeKind::kEmbedding, list.list_size(), tensor::DType::kF32};
      if (list.value_type()->id() == arrow::Type::HALF_FLOAT)
        return {TypeKind::kEmbedding, list.list_size(), tensor::DType::kF16};
      break;
    }
    case arrow::Type::EXTENSION:
      return to_type(*static_cast<const arrow::ExtensionType&>(type).storage_type());
    default:
      break;
  }
  return {TypeKind::kOther};
}

// Columns of the inner reader, in the order they were asked for instead of the file's.
class Reordered final : public arrow::RecordBatchReader {
 public:
  Reordered(std::shared_ptr<arrow::RecordBatchReader> inner,
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

class ParquetReader final : public storage::TableReader {
 public:
  explicit ParquetReader(const std::string& path) : path_(path) {
    // Also keeps a pipe from being opened, which would wait for a writer.
    if (const auto size = storage::file_size(path_); !size.ok()) fail(size.error().message);
    guard([&] {
      ARROW_ASSIGN_OR_RAISE(auto file,
                            arrow::io::ReadableFile::Open(path_, arrow::system_memory_pool()));
      parquet::arrow::FileReaderBuilder builder;
      // Pages are read one after the other: somebody else's row group may be larger than memory.
      parquet::ReaderProperties file_properties(arrow::system_memory_pool());
      file_properties.enable_buffered_stream();
      ARROW_RETURN_NOT_OK(builder.Open(std::move(file), file_properties));
      parquet::ArrowReaderProperties properties(/*use_threads=*/false);
      properties.set_batch_size(kBatchRows);
      properties.set_pre_buffer(false);
      std::unique_ptr<parquet::arrow::FileReader> reader;
      ARROW_RETURN_NOT_OK(
          builder.memory_pool(arrow::system_memory_pool())->properties(properties)->Build(&reader));
      reader_ = std::move(reader);
      return reader_->GetSchema(&schema_);
    });
    facts_.num_rows = reader_->parquet_reader()->metadata()->num_rows();
    facts_.num_row_groups = reader_->num_row_groups();
    for (const auto& field : schema_->fields()) {
      const columnar::DataType type = to_type(*field->type());
      facts_.schema.fields.push_back({field->name(), type, field->nullable()});
      facts_.type_names.push_back(
          type.kind == columnar::TypeKind::kOther ? field->type()->ToString() : type.to_string());
    }
    // The footer's own, since the schema stored with the data knows only what was known at first.
    if (const auto metadata = reader_->parquet_reader()->metadata()->key_value_metadata()) {
      for (std::int64_t i = 0; i < metadata->size(); ++i) {
        if (metadata->key(i) == "ARROW:schema") continue;
        facts_.schema.metadata.emplace_back(metadata->key(i), metadata->value(i));
      }
    }
  }

  const storage::TableFacts& facts() const override { return facts_; }

  void open_stream(const std::vector<std::string>& columns, ArrowArrayStream* out) override {
    // Leaf columns of the fields asked for, in the order of the file, as the reader wants them.
    std::vector<int> fields, leaves;
    for (int i = 0; i < schema_->num_fields(); ++i) {
      const std::string& name = schema_->field(i)->name();
      if (std::find(columns.begin(), columns.end(), name) != columns.end()) fields.push_back(i);
    }
    guard([&] {
      for (const int field : fields)
        add_leaves(reader_->manifest().schema_fields[static_cast<std::size_t>(field)], leaves);
      std::vector<int> row_groups(static_cast<std::size_t>(reader_->num_row_groups()));
      for (std::size_t i = 0; i < row_groups.size(); ++i) row_groups[i] = static_cast<int>(i);
      ARROW_ASSIGN_OR_RAISE(auto batches, reader_->GetRecordBatchReader(row_groups, leaves));
      std::vector<int> order;
      for (const std::string& name : columns) {
        const int index = batches->schema()->GetFieldIndex(name);
        if (index < 0) return arrow::Status::KeyError("column '", name, "' does not exist");
        order.push_back(index);
      }
      return arrow::ExportRecordBatchReader(
          std::make_shared<Reordered>(std::move(batches), reader_, std::move(order)), out);
    });
  }

 private:
  static void add_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
    if (field.column_index >= 0) leaves.push_back(field.column_index);
    for (const auto& child : field.children) add_leaves(child, leaves);
  }

  // Parquet reports some failures by exceptions of its own, which must not leave this shared
  // object.
  template <class Action>
  void guard(Action action) const {
    std::string reason;
    try {
      const arrow::Status status = action();
      if (status.ok()) return;
      reason = status.message();
    } catch (const std::exception& error) {
      reason = error.what();
    }
    fail(std::move(reason));
  }

  [[noreturn]] void fail(std::string reason) const {
    std::replace(reason.begin(), reason.end(), '\n', ' ');
    throw RequestError("'" + path_ + "' cannot be read as Parquet: " + reason);
  }

  const std::string path_;
  std::shared_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
  storage::TableFacts facts_;
};

}  // namespace

std::unique_ptr<storage::TableReader> open_parquet_reader(const std::string& path) {
  return std::make_unique<ParquetReader>(path);
}

}  // namespace vecframe::io
