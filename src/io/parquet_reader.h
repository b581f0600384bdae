// Parquet files as tables.
#pragma once

#include <memory>
#include <string>

#include "storage/table_io.h"

namespace vecframe::io {

/// Throws RequestError when the file is missing or no Parquet file.
std::unique_ptr<storage::TableReader> open_parquet_reader(const std::string& path);

}  // namespace vecframe::io
