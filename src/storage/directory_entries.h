// The names in one directory, sorted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vecframe::storage {

/// Names in one block of memory, because a folder of a million pictures is no rarity: about 30
/// bytes each. A block that is full is sorted and put aside in a scratch file, and blocks are
/// merged as names are pulled, so that a folder of any size takes the same memory. Ordered so that
/// a depth-first walk gives whole relative paths in bytewise order: a directory sorts as its name
/// with a slash ("a-b" before "a/" before "a0").
class DirectoryEntries {
 public:
  enum class Kind : char { kFile = 'f', kDirectory = 'd', kLinkToDirectory = 'l' };
  struct Entry {
    std::string_view name;  ///< until the next call of next()
    Kind kind;              ///< kFile is also whatever is neither: a pipe, a link to nothing
  };
  static constexpr std::size_t kBlockBytes = std::size_t{4} << 20;

  /// Reads the directory; what `.` and `..` mean is left out. Names come without their directory.
  /// Throws RunError when there is no room for a scratch file.
  explicit DirectoryEntries(const std::string& directory, std::size_t block_bytes = kBlockBytes);
  ~DirectoryEntries();
  DirectoryEntries(DirectoryEntries&&) noexcept;
  DirectoryEntries& operator=(DirectoryEntries&&) noexcept;

  /// errno of a read that failed; the entries are then those found until then.
  int error() const { return error_; }
  std::optional<Entry> next();

 private:
  class Blocks;

  // Kind, name, a slash unless a file, zero.
  std::string_view record(std::uint32_t begin) const { return names_.c_str() + begin; }
  void sort_block();

  std::string names_;
  std::vector<std::uint32_t> begins_;  // sorted by name once all are there
  std::size_t next_ = 0;               // of begins_
  std::unique_ptr<Blocks> blocks_;     // put aside; null if one block held all
  int error_ = 0;
};

}  // namespace vecframe::storage
