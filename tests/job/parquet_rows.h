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

/// Value of a key of the file's own metadata, which follows its key in the footer: a field header
/// (0x18, binary), a length below 128, the bytes.
inline std::string footer_value(const std::string& path, const std::string& key) {
  const std::string bytes = content_of(path);
  const std::size_t found = bytes.rfind(key + '\x18');
  if (found == std::string::npos) return "(none)";
  const std::size_t length_at = found + key.size() + 1;
  return bytes.substr(length_at + 1, static_cast<std::uint8_t>(bytes.at(length_at)));
}

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
