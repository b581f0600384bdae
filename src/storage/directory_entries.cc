#include "storage/directory_entries.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>

namespace vecframe::storage {
namespace {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

bool is_directory(DIR* directory, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_DIR;
  struct stat status {};  // a file system that does not say
  return ::fstatat(::dirfd(directory), entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(status.st_mode);
}

}  // namespace

DirectoryEntries::DirectoryEntries(const std::string& directory) {
  const std::unique_ptr<DIR, CloseDirectory> stream(
      ::opendir(directory.empty() ? "." : directory.c_str()));
  if (!stream) {
    error_ = errno;
    return;
  }
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());
    if (entry == nullptr) {
      error_ = errno;
      break;
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (names_.size() > std::numeric_limits<std::uint32_t>::max() - 512) {
      error_ = EOVERFLOW;
      break;
    }
    begins_.push_back(static_cast<std::uint32_t>(names_.size()));
    names_ += name;
    if (is_directory(stream.get(), *entry)) names_ += '/';
    names_ += '\0';
  }
  std::sort(begins_.begin(), begins_.end(),
            [this](std::uint32_t a, std::uint32_t b) { return key(a) < key(b); });
}

DirectoryEntries::Entry DirectoryEntries::operator[](std::size_t i) const {
  const std::string_view name = key(begins_[i]);
  const bool directory = name.ends_with('/');
  return {directory ? name.substr(0, name.size() - 1) : name, directory};
}

}  // namespace vecframe::storage
