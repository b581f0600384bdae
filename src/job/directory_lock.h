// Keeps a second run out of an output directory.
#pragma once

#include <cstdint>
#include <string>

#include "job/shard.h"

namespace vecframe::job {

/// A lock on `directory`, by way of a file in it whose name begins with `_lock` and which goes with
/// the lock. The operating system frees it when the process dies.
class DirectoryLock {
 public:
  enum class Kind : std::uint8_t { kExclusive, kShared };

  /// Throws RequestError when another run holds it, RunError when the file cannot be made.
  explicit DirectoryLock(const std::string& directory, const std::string& name = "_lock",
                         Kind kind = Kind::kExclusive);
  /// Waits for the lock in place of throwing.
  static DirectoryLock wait_for(const std::string& directory, const std::string& name);
  ~DirectoryLock();
  DirectoryLock(DirectoryLock&& other) noexcept;
  DirectoryLock& operator=(DirectoryLock&&) = delete;

 private:
  DirectoryLock(const std::string& directory, const std::string& name, int operation);

  std::string path_;
  int file_ = -1;
};

/// Locks of one share of several, which run at the same time: shared on the directory, exclusive on
/// the share. Throws RequestError when another process runs the same share, or one of another
/// division.
class ShareLock {
 public:
  ShareLock(const std::string& directory, ShardShare share);

 private:
  DirectoryLock directory_, share_;
};

}  // namespace vecframe::job
