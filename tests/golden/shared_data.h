// Reference data that is too large, or not ours, to be committed.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "source_directory.h"

namespace vecframe::golden {

/// $VECFRAME_SHARED, else the folder `shared` beside the source tree, if it is there.
inline std::optional<std::filesystem::path> shared_data() {
  const char* set = std::getenv("VECFRAME_SHARED");
  const std::filesystem::path path =
      set != nullptr && *set != '\0'
          ? std::filesystem::path(set)
          : std::filesystem::path(VECFRAME_SOURCE_DIR).parent_path() / "shared";
  std::error_code ignored;
  if (!std::filesystem::is_directory(path / "data", ignored)) return std::nullopt;
  return path;
}

}  // namespace vecframe::golden
