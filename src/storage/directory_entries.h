// The names in one directory, sorted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vecframe::storage {

/// Names in one block of memory, because a folder of a million pictures is no rarity: about 30
/// bytes each. Ordered so that a depth-first walk gives whole relative paths in bytewise order: a
/// directory sorts as its name with a slash ("a-b" before "a/" before "a0").
class DirectoryEntries {
 public:
  enum class Kind : char { kFile = 'f', kDirectory = 'd', kLinkToDirectory = 'l' };
  struct Entry {
    std::string_view name;
    Kind kind;  ///< kFile is also whatever is neither: a pipe, a link to nothing
  };

  /// Reads the directory; what `.` and `..` mean is left out. Names come without their directory.
  explicit DirectoryEntries(const std::string& directory);

  /// errno of a read that failed; the entries are then those found until then.
  int error() const { return error_; }
  std::size_t size() const { return begins_.size(); }
  Entry operator[](std::size_t i) const;

 private:
  std::string_view key(std::uint32_t begin) const { return names_.c_str() + begin + 1; }
  std::string names_;                  // kind, name, a slash unless a file, zero
  std::vector<std::uint32_t> begins_;  // sorted by name
  int error_ = 0;
};

}  // namespace vecframe::storage
