// What tells one state of a file from another.
#pragma once

#include <cstdint>
#include <string>

namespace vecframe::storage {

struct FileVersion {
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;  ///< since 1970
};

/// Zeros where the file cannot be looked at.
FileVersion version_of(const std::string& path);

}  // namespace vecframe::storage
