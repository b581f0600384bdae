#include "providers/http/file_lock.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "providers/http/hub_error.h"

namespace vecframe::providers {
namespace {

constexpr mode_t kMode = 0664;  // as huggingface_hub's: the users of a shared cache may be a group
constexpr std::chrono::milliseconds kPoll{50};

// Whether `file` is still what `path` names: another process may have removed it meanwhile.
bool is_current(int file, const std::filesystem::path& path) {
  struct stat opened {
  }, named{};
  return fstat(file, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

FileLock::FileLock(const std::filesystem::path& path, const CancellationToken* cancellation) {
  for (;;) {
    file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode);
    if (file_ < 0)
      throw HubError(HubError::Kind::kStorage,
                     fmt::format("cannot create {}: {}", path.string(), std::strerror(errno)));
    while (flock(file_, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK && errno != EINTR) return;  // no flock here
      if (cancellation != nullptr && cancellation->cancelled()) {
        close(file_);
        throw Cancelled();
      }
      std::this_thread::sleep_for(kPoll);
    }
    if (is_current(file_, path)) return;
    close(file_);
  }
}

FileLock::~FileLock() { close(file_); }

}  // namespace vecframe::providers
