// Which files a path to Parquet means.
#pragma once

#include <string>
#include <vector>

namespace vecframe::session {

/// A file itself; of a directory its parts, sorted: the .parquet files whose names do not begin
/// with
/// '_' or '.'. Throws RequestError for a directory without any.
std::vector<std::string> parquet_files(const std::string& path);

}  // namespace vecframe::session
