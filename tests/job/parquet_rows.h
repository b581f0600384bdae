// Parquet files read back through the real module.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "job_run.h"
#include "storage/table_io.h"

extern "C" vecframe::storage::TableModule* vecframe_table_module();

namespace vecframe::job {

inline storage::TableModule& tables() { return *vecframe_table_module(); }

struct ParquetRows {
  std::vector<OutputRow> rows;
  std::map<std::string, std::string> metadata;
  std::int64_t num_row_groups = 0;
};

inline ParquetRows read_parquet(const std::string& path) {
  ParquetRows result;
  const auto reader = tables().open_parquet(path);
  for (const auto& [key, value] : reader->facts().schema.metadata) result.metadata[key] = value;
  result.num_row_groups = reader->facts().num_row_groups;
  ArrowArrayStream stream{};
  reader->open_stream({"path", "embedding", "error", "width", "format"}, &stream);
  for (;;) {
    ArrowArray batch{};
    if (stream.get_next(&stream, &batch) != 0) {
      ADD_FAILURE() << stream.get_last_error(&stream);
      break;
    }
    if (batch.release == nullptr) break;
    append_rows(batch, result.rows);
    batch.release(&batch);
  }
  stream.release(&stream);
  return result;
}

}  // namespace vecframe::job
