#include "job/epoch.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "base/fingerprint.h"

namespace vecframe::job {
namespace {

std::string name_in(const std::string& directory) { return directory + "/_job"; }

bool lock(int file, int operation) {
  while (flock(file, operation) != 0)
    if (errno != EINTR) return false;
  return true;
}

// A locked file that is still the one of that name; -1 if there is none.
int open_locked(const std::string& path, int flags, int operation) {
  for (;;) {
    const int file = open(path.c_str(), flags | O_CLOEXEC, 0644);
    if (file < 0 && errno == ENOENT) return -1;
    if (file < 0 || !lock(file, operation)) {
      const int cause = errno;
      if (file >= 0) close(file);
      throw RunError("cannot lock " + path + ": " + std::strerror(cause));
    }
    struct stat opened {
    }, named{};
    if (fstat(file, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
        opened.st_ino == named.st_ino && opened.st_dev == named.st_dev)
      return file;
    close(file);
  }
}

std::string new_token() {
  std::random_device random;
  const unsigned words[] = {random(), random(), random(), static_cast<unsigned>(getpid())};
  return fingerprint_of(std::as_bytes(std::span(words)));
}

}  // namespace

std::string begin_epoch(const std::string& directory) {
  const std::string path = name_in(directory);
  const std::string token = new_token();
  const int file = open_locked(path, O_RDWR | O_CREAT, LOCK_EX);
  const bool written =
      ftruncate(file, 0) == 0 &&
      pwrite(file, token.data(), token.size(), 0) == static_cast<ssize_t>(token.size()) &&
      fsync(file) == 0;
  const int cause = errno;
  close(file);
  if (!written) throw RunError("cannot write " + path + ": " + std::strerror(cause));
  return token;
}

void end_epoch(const std::string& directory) {
  const std::string path = name_in(directory);
  const int file = open_locked(path, O_RDWR, LOCK_EX);
  if (file < 0) return;
  unlink(path.c_str());
  close(file);
}

EpochGuard::EpochGuard(const std::string& directory, const std::string& token) {
  file_ = open_locked(name_in(directory), O_RDONLY, LOCK_SH);
  char bytes[64] = {};
  const ssize_t count = file_ < 0 ? 0 : pread(file_, bytes, sizeof bytes, 0);
  if (count == static_cast<ssize_t>(token.size()) &&
      std::memcmp(bytes, token.data(), token.size()) == 0)
    return;
  if (file_ >= 0) close(file_);
  throw RunError("this shard is of a run of '" + directory +
                 "' that is over; nothing was committed");
}

EpochGuard::~EpochGuard() { close(file_); }

}  // namespace vecframe::job
