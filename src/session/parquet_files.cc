#include "session/parquet_files.h"

#include <vecframe/error.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace vecframe::session {

namespace fs = std::filesystem;

std::vector<std::string> parquet_files(const std::string& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return {path};
  std::vector<std::string> parts;
  for (const auto& entry : fs::directory_iterator(path)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".parquet") && !name.starts_with("_") && !name.starts_with(".")) {
      parts.push_back(entry.path().string());
    }
  }
  if (parts.empty())
    throw RequestError("'" + path +
                       "' holds no .parquet files; give the output of `vecframe embed`");
  std::sort(parts.begin(), parts.end());
  return parts;
}

}  // namespace vecframe::session
