// Keeps two processes from downloading one file at a time.
#pragma once

#include <filesystem>

#include "base/cancellation.h"

namespace vecframe::providers {

/// Holds flock() on a file, as huggingface_hub's own lock does, so both wait for each other. The
/// file stays when the lock goes. On file systems without flock there is no lock: what is written
/// under it must be right without, only more is downloaded then.
class FileLock {
 public:
  /// Waits for the lock. `cancellation` may be null. Throws HubError if the file cannot be made,
  /// Cancelled.
  FileLock(const std::filesystem::path& path, const CancellationToken* cancellation);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int file_ = -1;
};

}  // namespace vecframe::providers
