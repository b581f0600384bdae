#include "job/directory_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <cerrno>
#include <cstring>

namespace vecframe::job {
namespace {

// Whether `file` is what `path` names now: a lock on a file that its last owner removed is void.
bool is_current(int file, const std::string& path) {
  struct stat opened {
  }, named{};
  return fstat(file, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

DirectoryLock::DirectoryLock(const std::string& directory) : path_(directory + "/_lock") {
  for (;;) {
    file_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file_ < 0) throw RunError("cannot create " + path_ + ": " + std::strerror(errno));
    if (flock(file_, LOCK_EX | LOCK_NB) != 0) {
      const int cause = errno;
      close(file_);
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

DirectoryLock::~DirectoryLock() {
  unlink(path_.c_str());
  close(file_);
}

}  // namespace vecframe::job
