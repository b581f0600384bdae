// Writers and readers of tables, and the module that implements them in a shared object of its own.
//
// Parquet needs libarrow, which is large and tied to one Arrow version; so it lives behind this
// interface and is opened when the first table is.
#pragma once

#include <vecframe/arrow_c.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "columnar/batch.h"
#include "columnar/morsel.h"
#include "columnar/schema.h"
#include "storage/relational.h"

namespace vecframe::storage {

class TableWriter {
 public:
  virtual ~TableWriter() = default;
  /// Throws RunError (disk full, file gone).
  virtual void write(columnar::Batch batch) = 0;
  /// Rows of the writer's schema, whatever its types. Divides them into row groups.
  virtual void write(const columnar::Morsel& morsel) = 0;
  /// Key-value metadata that is known only at the end; before close().
  virtual void add_metadata(const std::string& key, const std::string& value) = 0;
  /// Writes the footer. A writer destroyed without close() leaves a file without one.
  virtual void close() = 0;
  /// Bytes held back before they can be written (an open row group).
  virtual std::int64_t buffered_bytes() const = 0;
};

struct TableFacts {
  columnar::Schema
      schema;  ///< types this project knows; others appear as strings of their Arrow type
  std::vector<std::string> type_names;  ///< one a field, as a user reads it
  std::int64_t num_rows = 0;
  std::int64_t num_row_groups = 0;
};

struct RowGroups {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

/// Streams are independent of each other and of their reader, and may be read by several threads,
/// one each.
class TableReader {
 public:
  virtual ~TableReader() = default;
  virtual const TableFacts& facts() const = 0;
  /// Of all columns, as columnar::import_schema reads it, extension types with their metadata;
  /// metadata of the whole are those of facts().
  virtual const columnar::Schema& schema() const = 0;
  virtual std::int64_t num_rows(std::int64_t row_group) const = 0;
  /// Batches of the named columns, in order; the receiver releases the stream.
  virtual void open_stream(const std::vector<std::string>& columns, ArrowArrayStream* out) = 0;
  /// The same of these row groups alone. A batch is of a few megabytes where rows are large.
  virtual void open_stream(const std::vector<std::string>& columns, RowGroups row_groups,
                           ArrowArrayStream* out) = 0;
};

/// Version of this header; a module made for another one is refused.
inline constexpr int kTableModuleAbi = 3;

class TableModule {
 public:
  virtual ~TableModule() = default;
  virtual int abi() const = 0;
  /// Throws RunError when the file cannot be made, RequestError for a column that Parquet cannot
  /// hold.
  virtual std::unique_ptr<TableWriter> create_parquet(
      const std::string& path, std::shared_ptr<const columnar::Schema> schema) = 0;
  /// Throws RequestError when the file is missing or no Parquet file.
  virtual std::unique_ptr<TableReader> open_parquet(const std::string& path) = 0;
  /// Rows as bytes of Arrow's streaming format, with their schema, not compressed.
  virtual std::string write_ipc(const columnar::Schema& schema,
                                std::span<const columnar::Morsel> morsels) = 0;
  /// The rows of such bytes, which may come from strangers: they are checked in full. The receiver
  /// releases the stream. Throws RequestError.
  virtual void read_ipc(std::string_view bytes, ArrowArrayStream* out) = 0;
  /// Lives as long as the module.
  virtual Relational& relational() = 0;
};

/// The one symbol a module exports: `extern "C" vecframe::storage::TableModule*
/// vecframe_table_module()`.
inline constexpr const char* kTableModuleSymbol = "vecframe_table_module";

}  // namespace vecframe::storage
