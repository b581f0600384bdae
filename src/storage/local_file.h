// Reads of local files, with row errors; and files that appear whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace vecframe::storage {

/// Size in bytes; errors (stage read): not_found, permission_denied, io_error (also for what is no
/// regular file).
Result<std::int64_t> file_size(const std::string& path);

/// The whole file, if it still has at most `max_bytes`; errors as file_size(), and over_budget if
/// it grew past that.
Result<std::vector<std::byte>> read_file(const std::string& path, std::int64_t max_bytes);

/// A file under construction beside its destination: `.NAME.PID-N.tmp` in the same directory,
/// removed unless committed.
class PendingFile {
 public:
  /// Throws RunError when the directory is not writable.
  explicit PendingFile(std::string destination);
  ~PendingFile();
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  const std::string& temporary_path() const { return temporary_; }
  /// Flushes to disk and renames; the destination now has the new content. Throws RunError.
  void commit();

 private:
  std::string destination_, temporary_;
  bool committed_ = false;
};

/// Writes a small file by way of a PendingFile. Throws RunError.
void write_file(const std::string& path, const std::string& content);

}  // namespace vecframe::storage
