// Tables into a Parquet file.
#pragma once

#include <memory>
#include <string>

#include "storage/table_io.h"

namespace vecframe::io {

/// Row groups of about a megabyte or one batch, whichever is more: little is held back, and a
/// footer of a million rows stays small. Larger morsels are divided. Vectors are stored plain,
/// texts with Snappy and dictionaries.
std::unique_ptr<storage::TableWriter> create_parquet_writer(
    const std::string& path, std::shared_ptr<const columnar::Schema> schema);

}  // namespace vecframe::io
