#include "storage/scratch_file.h"

#include <fcntl.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace vecframe::storage {
namespace {

int open_nameless(const std::string& directory) {
  const int file = ::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) return file;
  // A file system without such files.
  std::string name = directory + "/.scratch-XXXXXX";
  const int named = ::mkostemp(name.data(), O_CLOEXEC);
  if (named >= 0) ::unlink(name.c_str());
  return named;
}

}  // namespace

ScratchFile::ScratchFile(const std::string& directory)
    : directory_(directory), file_(open_nameless(directory)) {
  if (file_.get() < 0)
    throw RunError("cannot write a scratch file in '" + directory +
                   "': " + std::generic_category().message(errno));
}

void ScratchFile::append(const void* bytes, std::size_t count) {
  const char* from = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t written = ::pwrite(file_.get(), from, count, size_);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      throw RunError("cannot write a scratch file in '" + directory_ +
                     "': " + std::generic_category().message(written < 0 ? errno : ENOSPC));
    from += written;
    count -= static_cast<std::size_t>(written);
    size_ += written;
  }
}

void ScratchFile::read(std::int64_t offset, void* bytes, std::size_t count) const {
  char* to = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t got = ::pread(file_.get(), to, count, offset);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0)
      throw RunError("cannot read a scratch file in '" + directory_ +
                     "': " + std::generic_category().message(got < 0 ? errno : EIO));
    to += got;
    count -= static_cast<std::size_t>(got);
    offset += got;
  }
}

std::string scratch_directory() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::temp_directory_path(error);
  return error ? "/tmp" : path.string();
}

}  // namespace vecframe::storage
