// Keeps a second run out of an output directory.
#pragma once

#include <string>

namespace vecframe::job {

/// An exclusive lock on `directory`, by way of a file `_lock` in it, which goes with the lock. The
/// operating system frees it when the process dies.
class DirectoryLock {
 public:
  /// Throws RequestError when another run holds it, RunError when the file cannot be made.
  explicit DirectoryLock(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  std::string path_;
  int file_ = -1;
};

}  // namespace vecframe::job
