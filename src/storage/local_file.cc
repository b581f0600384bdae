#include "storage/local_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <new>
#include <system_error>
#include <utility>

#include "storage/file_descriptor.h"

namespace vecframe::storage {
namespace {

RowError read_error(int error) {
  const std::string text = std::generic_category().message(error);
  switch (error) {
    case ENOENT:
    case ENOTDIR:
      return {Stage::kRead, ErrorCode::kNotFound, text};
    case EACCES:
    case EPERM:
      return {Stage::kRead, ErrorCode::kPermissionDenied, text};
    default:
      return {Stage::kRead, ErrorCode::kIoError, text};
  }
}

[[noreturn]] void fail(const std::string& action, const std::string& path) {
  throw RunError(action + " '" + path + "': " + std::generic_category().message(errno));
}

void sync_path(const std::string& path, int flags) {
  const FileDescriptor file(::open(path.c_str(), flags | O_CLOEXEC));
  if (file.get() < 0 || ::fsync(file.get()) != 0) fail("cannot flush", path);
}

std::string directory_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

std::string temporary_name(const std::string& destination) {
  static std::atomic<unsigned> counter{0};
  const std::filesystem::path path(destination);
  // Cut, so that the longest name the file system takes still leaves room for what is added.
  const std::string name = path.filename().string().substr(0, 200);
  return (path.parent_path() / ("." + name + "." + std::to_string(::getpid()) + "-" +
                                std::to_string(counter++) + ".tmp"))
      .string();
}

}  // namespace

Result<std::int64_t> file_size(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return read_error(errno);
  if (!S_ISREG(status.st_mode)) {
    return RowError{Stage::kRead, ErrorCode::kIoError, "not a regular file"};
  }
  return static_cast<std::int64_t>(status.st_size);
}

Result<std::vector<std::byte>> read_file(const std::string& path, std::int64_t max_bytes) {
  // O_NONBLOCK: what became a pipe since the listing must not hang the run.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.get() < 0) return read_error(errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return read_error(errno);
  if (!S_ISREG(status.st_mode)) {
    return RowError{Stage::kRead, ErrorCode::kIoError, "not a regular file"};
  }
  // One byte more than the size says, so that the end is seen and a file that grows is noticed.
  const std::int64_t limit = std::max<std::int64_t>(max_bytes, 0);
  std::vector<std::byte> bytes;
  std::size_t filled = 0;
  std::int64_t expected = std::min<std::int64_t>(status.st_size, limit);
  try {
    while (true) {
      bytes.resize(static_cast<std::size_t>(expected) + 1);
      while (filled < bytes.size()) {
        const ssize_t count = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return read_error(errno);
        if (count == 0) {
          bytes.resize(filled);  // shorter if it shrank; the decoder will say what that means
          return bytes;
        }
        filled += static_cast<std::size_t>(count);
      }
      if (expected >= limit) break;
      expected = std::min(2 * expected + 4096, limit);
    }
  } catch (const std::bad_alloc&) {
    return RowError{Stage::kRead, ErrorCode::kOverBudget, "not enough memory for the file"};
  }
  return RowError{
      Stage::kRead, ErrorCode::kOverBudget,
      "the file has more than the " + std::to_string(limit) + " bytes that were reserved for it"};
}

PendingFile::PendingFile(std::string destination) : destination_(std::move(destination)) {
  int file = -1;
  do {  // a process of the same number that died may have left one
    temporary_ = temporary_name(destination_);
    file = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (file < 0 && (errno == EEXIST || errno == EINTR));
  if (file < 0) fail("cannot write to", directory_of(destination_));
  ::close(file);
}

PendingFile::~PendingFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

void PendingFile::commit() {
  sync_path(temporary_, O_RDONLY);
  if (::rename(temporary_.c_str(), destination_.c_str()) != 0) fail("cannot replace", destination_);
  committed_ = true;
  // The rename outlives a power cut only once the directory is on disk too.
  sync_path(directory_of(destination_), O_RDONLY | O_DIRECTORY);
}

void write_file(const std::string& path, const std::string& content) {
  PendingFile pending(path);
  {
    const FileDescriptor file(
        ::open(pending.temporary_path().c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
    if (file.get() < 0) fail("cannot write", path);
    std::size_t written = 0;
    while (written < content.size()) {
      const ssize_t count = ::write(file.get(), content.data() + written, content.size() - written);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail("cannot write", path);
      written += static_cast<std::size_t>(count);
    }
  }
  pending.commit();
}

}  // namespace vecframe::storage
