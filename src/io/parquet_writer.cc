#include "io/parquet_writer.h"

#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>
#include <arrow/util/key_value_metadata.h>
#include <parquet/arrow/schema.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>
#include <vecframe/error.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace vecframe::io {
namespace {

constexpr std::int64_t kRowGroupBytes = 1 << 20;
// Of rows that are written at once, and so of a row group.
constexpr std::int64_t kMorselBytes = 4 << 20;

void check(const arrow::Status& status, const std::string& path) {
  if (!status.ok()) throw RunError("writing '" + path + "' failed: " + status.ToString());
}

template <class T>
T check(arrow::Result<T> result, const std::string& path) {
  check(result.status(), path);
  return std::move(result).ValueUnsafe();
}

std::shared_ptr<parquet::WriterProperties> properties_of(const columnar::Schema& schema) {
  parquet::WriterProperties::Builder builder;
  builder.memory_pool(arrow::system_memory_pool())->compression(parquet::Compression::SNAPPY);
  for (const columnar::Field& field : schema.fields) {
    if (field.type.kind == columnar::TypeKind::kImage) {
      // A minimum of pixels tells nothing.
      builder.disable_statistics(field.name +
                                 (field.type.image.fixed() ? ".list.item" : ".data.list.item"));
      continue;
    }
    if (field.type.kind != columnar::TypeKind::kEmbedding) continue;
    const std::string leaf = field.name + ".list.item";
    // The digits of a vector have no pattern that a codec, a dictionary or a minimum could use.
    builder.disable_dictionary(leaf)->disable_statistics(leaf)->compression(
        leaf, parquet::Compression::UNCOMPRESSED);
  }
  return builder.build();
}

void refuse_unwritable(const columnar::Field& field, const std::shared_ptr<arrow::Field>& type) {
  std::shared_ptr<parquet::SchemaDescriptor> converted;
  arrow::Status status;
  try {
    status = parquet::arrow::ToParquetSchema(arrow::schema({type}).get(),
                                             *parquet::default_writer_properties(), &converted);
  } catch (const std::exception& error) {
    status = arrow::Status::NotImplemented(error.what());
  }
  if (status.ok()) return;
  throw RequestError("column '" + field.name + "' of type " + field.type.to_string() +
                     " cannot be written to Parquet; leave it out with select()");
}

class ParquetWriter final : public storage::TableWriter {
 public:
  ParquetWriter(const std::string& path, std::shared_ptr<const columnar::Schema> schema)
      : path_(path) {
    ArrowSchema exported;
    columnar::export_schema(*schema, &exported);
    schema_ = check(arrow::ImportSchema(&exported), path_);
    for (std::size_t i = 0; i < schema->fields.size(); ++i)
      refuse_unwritable(schema->fields[i], schema_->field(static_cast<int>(i)));
    file_ = check(arrow::io::FileOutputStream::Open(path_), path_);
    // Compliant nested types would rename the child of a vector to "element".
    const auto arrow_properties = parquet::ArrowWriterProperties::Builder()
                                      .store_schema()
                                      ->disable_compliant_nested_types()
                                      ->build();
    writer_ = check(parquet::arrow::FileWriter::Open(*schema_, arrow::system_memory_pool(), file_,
                                                     properties_of(*schema), arrow_properties),
                    path_);
  }

  ~ParquetWriter() override {
    // Arrow's writer adds a footer when it is destroyed; without the file it cannot, and a table
    // that was given up does not look like one that is whole.
    if (file_ != nullptr) static_cast<void>(file_->Close());
  }

  void write(columnar::Batch batch) override {
    ArrowArray array = batch.release_array();
    const auto imported = check(arrow::ImportRecordBatch(&array, schema_), path_);
    write(*imported, arrow::util::TotalBufferSize(*imported));
  }

  void write(const columnar::Morsel& morsel) override {
    ArrowArray array;
    columnar::export_morsel(morsel, &array);
    const auto imported = check(arrow::ImportRecordBatch(&array, schema_), path_);
    // A window of larger arrays counts as what it shows.
    const auto shown = arrow::util::ReferencedBufferSize(*imported);
    const std::int64_t bytes = shown.ok() ? *shown : arrow::util::TotalBufferSize(*imported);
    const std::int64_t pieces = bytes / kMorselBytes + 1;
    const std::int64_t rows = (morsel.num_rows + pieces - 1) / pieces;
    for (std::int64_t first = 0; first < morsel.num_rows; first += rows) {
      const std::int64_t count = std::min(rows, morsel.num_rows - first);
      write(*imported->Slice(first, count), bytes / morsel.num_rows * count);
    }
  }

  // Goes into the footer only: the schema stored with the data was written at the start.
  void add_metadata(const std::string& key, const std::string& value) override {
    guard([&] { return writer_->AddKeyValueMetadata(arrow::key_value_metadata({key}, {value})); });
  }

  void close() override {
    guard([&] { return writer_->Close(); });
    check(file_->Close(), path_);
  }

  std::int64_t buffered_bytes() const override { return buffered_; }

 private:
  void write(const arrow::RecordBatch& batch, std::int64_t bytes) {
    guard([&] { return writer_->WriteRecordBatch(batch); });
    buffered_ += bytes;
    if (buffered_ < kRowGroupBytes) return;
    guard([&] { return writer_->NewBufferedRowGroup(); });
    buffered_ = 0;
  }

  // Parquet reports some failures by exceptions of its own, which must not leave this shared
  // object.
  template <class Action>
  void guard(Action action) {
    try {
      check(action(), path_);
    } catch (const RunError&) {
      throw;
    } catch (const std::exception& error) {
      throw RunError("writing '" + path_ + "' failed: " + error.what());
    }
  }

  const std::string path_;
  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::io::FileOutputStream> file_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::int64_t buffered_ = 0;
};

}  // namespace

std::unique_ptr<storage::TableWriter> create_parquet_writer(
    const std::string& path, std::shared_ptr<const columnar::Schema> schema) {
  return std::make_unique<ParquetWriter>(path, std::move(schema));
}

}  // namespace vecframe::io
