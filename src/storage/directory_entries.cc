#include "storage/directory_entries.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "storage/scratch_file.h"

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

// What records are sorted by: all but the kind.
std::string_view key_of(std::string_view record) { return record.substr(1); }

DirectoryEntries::Entry entry_of(std::string_view record) {
  const DirectoryEntries::Kind kind{record[0]};
  const std::string_view name = key_of(record);
  return {kind == DirectoryEntries::Kind::kFile ? name : name.substr(0, name.size() - 1), kind};
}

}  // namespace

// Sorted blocks in a scratch file, merged.
class DirectoryEntries::Blocks {
 public:
  Blocks() : file_(scratch_directory()) {}

  void add(const std::string& names, const std::vector<std::uint32_t>& begins) {
    Run run;
    run.offset = file_.size();
    std::string bytes;
    for (const std::uint32_t begin : begins) {
      bytes += names.c_str() + begin;
      bytes += '\0';
      if (bytes.size() < kReadBytes) continue;
      file_.append(bytes.data(), bytes.size());
      bytes.clear();
    }
    file_.append(bytes.data(), bytes.size());
    run.end = file_.size();
    runs_.push_back(std::move(run));
  }

  /// Of the smallest name that is left; empty at the end.
  std::string_view next() {
    if (!started_) {
      started_ = true;
      for (std::size_t i = 0; i < runs_.size(); ++i) push(i);
    } else if (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), Later{*this});
      const std::size_t run = heap_.back();
      heap_.pop_back();
      push(run);
    }
    return heap_.empty() ? std::string_view() : runs_[heap_.front()].record;
  }

 private:
  static constexpr std::size_t kReadBytes = std::size_t{32} << 10;

  struct Run {
    std::int64_t offset = 0, end = 0;  // in the file, of what is not read
    std::string buffer;
    std::size_t position = 0;  // in the buffer, behind `record`
    std::string_view record;
  };
  struct Later {
    const Blocks& blocks;
    bool operator()(std::size_t a, std::size_t b) const {
      return key_of(blocks.runs_[a].record) > key_of(blocks.runs_[b].record);
    }
  };

  void push(std::size_t index) {
    if (!advance(runs_[index])) return;
    heap_.push_back(index);
    std::push_heap(heap_.begin(), heap_.end(), Later{*this});
  }

  bool advance(Run& run) const {
    std::size_t zero = run.buffer.find('\0', run.position);
    if (zero == std::string::npos) {
      run.buffer.erase(0, run.position);
      run.position = 0;
      // A name has at most 255 bytes, so one block holds the next.
      const auto count = std::min<std::int64_t>(kReadBytes, run.end - run.offset);
      const std::size_t kept = run.buffer.size();
      run.buffer.resize(kept + static_cast<std::size_t>(count));
      file_.read(run.offset, run.buffer.data() + kept, static_cast<std::size_t>(count));
      run.offset += count;
      zero = run.buffer.find('\0');
      if (zero == std::string::npos) return false;
    }
    run.record = std::string_view(run.buffer).substr(run.position, zero - run.position);
    run.position = zero + 1;
    return true;
  }

  ScratchFile file_;
  std::vector<Run> runs_;
  std::vector<std::size_t> heap_;  // the run of the smallest name is in front
  bool started_ = false;
};

DirectoryEntries::~DirectoryEntries() = default;
DirectoryEntries::DirectoryEntries(DirectoryEntries&&) noexcept = default;
DirectoryEntries& DirectoryEntries::operator=(DirectoryEntries&&) noexcept = default;

DirectoryEntries::DirectoryEntries(const std::string& directory, std::size_t block_bytes) {
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
    if (names_.size() >= block_bytes) {
      sort_block();
      if (!blocks_) blocks_ = std::make_unique<Blocks>();
      blocks_->add(names_, begins_);
      names_.clear();
      begins_.clear();
    }
    begins_.push_back(static_cast<std::uint32_t>(names_.size()));
    const Kind kind = kind_of(stream.get(), *entry);
    names_ += static_cast<char>(kind);
    names_ += name;
    if (kind != Kind::kFile) names_ += '/';
    names_ += '\0';
  }
  sort_block();
  if (!blocks_) return;
  blocks_->add(names_, begins_);
  names_ = {};
  begins_ = {};
}

void DirectoryEntries::sort_block() {
  std::sort(begins_.begin(), begins_.end(), [this](std::uint32_t a, std::uint32_t b) {
    return key_of(record(a)) < key_of(record(b));
  });
}

std::optional<DirectoryEntries::Entry> DirectoryEntries::next() {
  if (blocks_) {
    const std::string_view found = blocks_->next();
    return found.empty() ? std::nullopt : std::optional(entry_of(found));
  }
  if (next_ == begins_.size()) return std::nullopt;
  return entry_of(record(begins_[next_++]));
}

}  // namespace vecframe::storage
