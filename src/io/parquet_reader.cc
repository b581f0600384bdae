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
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "io/parquet_columns.h"
#include "storage/local_file.h"
#include "tensor/dtype.h"

namespace vecframe::io {
namespace {

// Rows a batch: a thousand vectors of 1280 values are 5 MiB.
constexpr std::int64_t kBatchRows = 1024;
// Fewer where rows are larger, such as pictures.
constexpr std::int64_t kBatchBytes = 8 << 20;

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

// What a file's fields are numbered by says nothing of their types, and would keep equal types of
// two files apart.
void drop_field_ids(ArrowSchema& schema) {
  constexpr std::string_view kKey = "PARQUET:field_id";
  if (schema.metadata != nullptr) {
    std::int32_t head[2];  // number of pairs, length of the first key
    std::memcpy(head, schema.metadata, sizeof head);
    if (head[0] == 1 &&
        std::string_view(schema.metadata + sizeof head, static_cast<std::size_t>(head[1])) == kKey)
      schema.metadata = nullptr;
  }
  for (std::int64_t i = 0; i < schema.n_children; ++i) drop_field_ids(*schema.children[i]);
}

columnar::Schema read_schema(const arrow::Schema& schema) {
  struct Holder {
    ArrowSchema schema{};
    ~Holder() {
      if (schema.release != nullptr) schema.release(&schema);
    }
  } holder;
  if (const arrow::Status status = arrow::ExportSchema(schema, &holder.schema); !status.ok())
    throw RunError(status.message());
  drop_field_ids(holder.schema);
  return columnar::import_schema(holder.schema);
}

class ParquetReader final : public storage::TableReader {
 public:
  explicit ParquetReader(const std::string& path) : path_(path) {
    // Also keeps a pipe from being opened, which would wait for a writer.
    if (const auto size = storage::file_size(path_); !size.ok()) fail(size.error().message);
    guard([&] {
      ARROW_ASSIGN_OR_RAISE(file_,
                            arrow::io::ReadableFile::Open(path_, arrow::system_memory_pool()));
      ARROW_ASSIGN_OR_RAISE(reader_, open(kBatchRows));
      ARROW_RETURN_NOT_OK(reader_->GetSchema(&schema_));
      columns_ = read_schema(*schema_);
      return arrow::Status::OK();
    });
    facts_.num_rows = reader_->parquet_reader()->metadata()->num_rows();
    facts_.num_row_groups = reader_->num_row_groups();
    for (int i = 0; i < schema_->num_fields(); ++i) {
      const auto& field = schema_->field(i);
      const columnar::DataType& known = columns_.fields[static_cast<std::size_t>(i)].type;
      const columnar::DataType type =
          known.kind == columnar::TypeKind::kImage ? known : to_type(*field->type());
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
    columns_.metadata = facts_.schema.metadata;
  }

  const storage::TableFacts& facts() const override { return facts_; }
  const columnar::Schema& schema() const override { return columns_; }
  std::int64_t num_rows(std::int64_t row_group) const override {
    return row_group_of(row_group)->num_rows();
  }

  void open_stream(const std::vector<std::string>& columns, ArrowArrayStream* out) override {
    open_stream(columns, {0, facts_.num_row_groups}, out);
  }

  void open_stream(const std::vector<std::string>& columns, storage::RowGroups row_groups,
                   ArrowArrayStream* out) override {
    // Leaf columns of the fields asked for, in the order of the file, as the reader wants them.
    std::vector<int> fields, leaves, groups;
    for (int i = 0; i < schema_->num_fields(); ++i) {
      const std::string& name = schema_->field(i)->name();
      if (std::find(columns.begin(), columns.end(), name) != columns.end()) fields.push_back(i);
    }
    if (row_groups.first < 0 || row_groups.count < 0 ||
        row_groups.first > facts_.num_row_groups - row_groups.count)
      throw std::out_of_range("row groups beyond the file");
    for (std::int64_t i = 0; i < row_groups.count; ++i)
      groups.push_back(static_cast<int>(row_groups.first + i));
    guard([&] {
      for (const int field : fields)
        add_leaves(reader_->manifest().schema_fields[static_cast<std::size_t>(field)], leaves);
      ARROW_ASSIGN_OR_RAISE(auto reader, open(batch_rows(groups, leaves)));
      ARROW_ASSIGN_OR_RAISE(auto batches, reader->GetRecordBatchReader(groups, leaves));
      std::vector<int> order;
      for (const std::string& name : columns) {
        const int index = batches->schema()->GetFieldIndex(name);
        if (index < 0) return arrow::Status::KeyError("column '", name, "' does not exist");
        order.push_back(index);
      }
      return arrow::ExportRecordBatchReader(
          std::make_shared<ParquetColumns>(std::move(batches), std::move(reader), std::move(order)),
          out);
    });
  }

 private:
  // A reader of its own for each stream, over one file and its footer.
  arrow::Result<std::shared_ptr<parquet::arrow::FileReader>> open(std::int64_t batch_rows) const {
    parquet::arrow::FileReaderBuilder builder;
    // Pages are read one after the other: somebody else's row group may be larger than memory.
    parquet::ReaderProperties file_properties(arrow::system_memory_pool());
    file_properties.enable_buffered_stream();
    ARROW_RETURN_NOT_OK(
        builder.Open(file_, file_properties,
                     reader_ == nullptr ? nullptr : reader_->parquet_reader()->metadata()));
    parquet::ArrowReaderProperties properties(/*use_threads=*/false);
    properties.set_batch_size(batch_rows);
    properties.set_pre_buffer(false);
    std::unique_ptr<parquet::arrow::FileReader> reader;
    ARROW_RETURN_NOT_OK(
        builder.memory_pool(arrow::system_memory_pool())->properties(properties)->Build(&reader));
    return std::shared_ptr<parquet::arrow::FileReader>(std::move(reader));
  }

  std::unique_ptr<parquet::RowGroupMetaData> row_group_of(std::int64_t row_group) const {
    if (row_group < 0 || row_group >= facts_.num_row_groups)
      throw std::out_of_range("a row group beyond the file");
    return reader_->parquet_reader()->metadata()->RowGroup(static_cast<int>(row_group));
  }

  // Sizes are a stranger's and may be wrong; they only choose how many rows come at once.
  std::int64_t batch_rows(const std::vector<int>& groups, const std::vector<int>& leaves) const {
    std::int64_t rows_at_once = kBatchRows;
    for (const int group : groups) {
      const auto facts = row_group_of(group);
      double bytes = 0;
      for (const int leaf : leaves) {
        const auto column = facts->ColumnChunk(leaf);
        // Values of one byte are dictionary indices of as much; others are stored as they are.
        bytes += static_cast<double>(
            std::max<std::int64_t>(column->total_uncompressed_size(), column->num_values()));
      }
      const double bytes_a_row =
          bytes / static_cast<double>(std::max<std::int64_t>(1, facts->num_rows()));
      if (bytes_a_row * static_cast<double>(rows_at_once) > static_cast<double>(kBatchBytes))
        rows_at_once = std::max<std::int64_t>(
            1, static_cast<std::int64_t>(static_cast<double>(kBatchBytes) / bytes_a_row));
    }
    return rows_at_once;
  }

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
  std::shared_ptr<arrow::io::ReadableFile> file_;
  std::shared_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
  columnar::Schema columns_;
  storage::TableFacts facts_;
};

}  // namespace

std::unique_ptr<storage::TableReader> open_parquet_reader(const std::string& path) {
  return std::make_unique<ParquetReader>(path);
}

}  // namespace vecframe::io
