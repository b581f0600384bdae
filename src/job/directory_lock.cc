#include "job/directory_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

namespace vecframe::job {
namespace {

// Whether `file` is what `path` names now: a lock on a file that its last owner removed is void.
bool is_current(int file, const std::string& path) {
  struct stat opened {
  }, named{};
  return fstat(file, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

bool is_held(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return false;
  const bool held = flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  close(file);
  return held;
}

std::string division(ShardShare share) { return fmt::format("-of-{:05}", share.count); }

std::string share_name(ShardShare share) {
  return fmt::format("_lock-{:05}", share.index + 1) + division(share);
}

}  // namespace

DirectoryLock::DirectoryLock(const std::string& directory, const std::string& name, Kind kind)
    : DirectoryLock(directory, name, (kind == Kind::kExclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) {}

DirectoryLock DirectoryLock::wait_for(const std::string& directory, const std::string& name) {
  return DirectoryLock(directory, name, LOCK_EX);
}

DirectoryLock::DirectoryLock(const std::string& directory, const std::string& name, int operation)
    : path_(directory + "/" + name) {
  for (;;) {
    file_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) throw RunError("cannot create " + path_ + ": " + std::strerror(errno));
    if (flock(file_, operation) != 0) {
      const int cause = errno;
      close(file_);
      if (cause == EINTR) continue;
      if (cause == EWOULDBLOCK) {
        throw RequestError("output: '" + directory +
                           "' is being written by another run; wait for it or give another path");
      }
      throw RunError("cannot lock " + path_ + ": " + std::strerror(cause));
    }
    if (is_current(file_, path_)) return;
    close(file_);
  }
}

DirectoryLock::DirectoryLock(DirectoryLock&& other) noexcept
    : path_(std::move(other.path_)), file_(std::exchange(other.file_, -1)) {}

DirectoryLock::~DirectoryLock() {
  if (file_ < 0) return;
  // Of several that share the lock the last one takes the file away.
  if (flock(file_, LOCK_EX | LOCK_NB) == 0) unlink(path_.c_str());
  close(file_);
}

ShareLock::ShareLock(const std::string& directory, ShardShare share)
    : directory_(directory, "_lock", DirectoryLock::Kind::kShared),
      share_(directory, share_name(share)) {
  // After our own is there, so that of two that begin at once at least one sees the other.
  std::error_code error;
  for (std::filesystem::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with("_lock-") || name.ends_with(division(share))) continue;
    if (is_held(entry->path().string()))
      throw RequestError("shard: '" + directory + "' is being written in other shares (" +
                         name.substr(6) + "); give all processes the same number of shares");
  }
}

}  // namespace vecframe::job
