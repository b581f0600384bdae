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

bool is_directory(DIR* directory, const char* name, int flags) {
  struct stat status {};
  return ::fstatat(::dirfd(directory), name, &status, flags) == 0 && S_ISDIR(status.st_mode);
}

DirectoryEntries::Kind kind_of(DIR* directory, const dirent& entry) {
  using Kind = DirectoryEntries::Kind;
  if (entry.d_type == DT_DIR) return Kind::kDirectory;
  // Links, and everything on a file system that does not tell.
  if (entry.d_type != DT_LNK && entry.d_type != DT_UNKNOWN) return Kind::kFile;
  if (is_directory(directory, entry.d_name, AT_SYMLINK_NOFOLLOW)) return Kind::kDirectory;
  return is_directory(directory, entry.d_name, 0) ? Kind::kLinkToDirectory : Kind::kFile;
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
    const Kind kind = kind_of(stream.get(), *entry);
    names_ += static_cast<char>(kind);
    names_ += name;
    if (kind != Kind::kFile) names_ += '/';
    names_ += '\0';
  }
  std::sort(begins_.begin(), begins_.end(),
            [this](std::uint32_t a, std::uint32_t b) { return key(a) < key(b); });
}

DirectoryEntries::Entry DirectoryEntries::operator[](std::size_t i) const {
  const std::string_view name = key(begins_[i]);
  const Kind kind{names_[begins_[i]]};
  return {kind == Kind::kFile ? name : name.substr(0, name.size() - 1), kind};
}

}  // namespace vecframe::storage
