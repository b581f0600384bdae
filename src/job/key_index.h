// Where the rows of an output are, by the key of their input: what a resumed run looks up before it
// computes anything.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "job/disk_sort.h"
#include "job/input_key.h"

namespace vecframe::job {

/// A row of a committed part.
struct RowPlace {
  std::uint32_t part = 0;  ///< of the inventory
  std::uint32_t row = 0;
  auto operator<=>(const RowPlace&) const = default;
};

/// Sorted on disk: 24 bytes a row in a scratch file, and in memory 8 bytes for each 680 rows beside
/// one buffer. A lookup reads one block of 16 KiB.
class KeyIndex {
 public:
  struct Entry {
    InputKey key;
    RowPlace place;
    auto operator<=>(const Entry&) const = default;
  };

  explicit KeyIndex(const std::string& directory,
                    std::size_t buffer_bytes = DiskSort<Entry>::kBufferBytes)
      : entries_(directory, buffer_bytes) {}

  /// All of them before the first find().
  void add(const InputKey& key, RowPlace place) { entries_.add({key, place}); }
  void finish();
  /// The row of this path, in whatever version; of several the one of this version if there is one.
  std::optional<Entry> find(const InputKey& key);
  std::int64_t size() const { return entries_.size(); }

 private:
  static constexpr std::size_t kBlock = (std::size_t{16} << 10) / sizeof(Entry);

  void load(std::size_t block);

  DiskSort<Entry> entries_;
  std::vector<std::uint64_t> fences_;  // path_high of each block's first entry
  std::vector<Entry> block_;
  std::size_t loaded_ = 0;
};

}  // namespace vecframe::job
