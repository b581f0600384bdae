// A file without a name, for what does not fit in memory; it goes with its owner, or the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "storage/file_descriptor.h"

namespace vecframe::storage {

/// Not thread-safe. All throw RunError when the disk refuses.
class ScratchFile {
 public:
  explicit ScratchFile(const std::string& directory);

  void append(const void* bytes, std::size_t count);
  /// Exactly these bytes, which have been written.
  void read(std::int64_t offset, void* bytes, std::size_t count) const;
  std::int64_t size() const { return size_; }

 private:
  std::string directory_;
  FileDescriptor file_;
  std::int64_t size_ = 0;
};

/// Where such files of no output in particular go: TMPDIR, or /tmp.
std::string scratch_directory();

}  // namespace vecframe::storage
