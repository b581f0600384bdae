#include "job/key_index.h"

#include <algorithm>

namespace vecframe::job {

void KeyIndex::finish() {
  entries_.sort();
  DiskSort<Entry>::Cursor cursor(entries_);
  for (std::size_t i = 0; const Entry* entry = cursor.next(); ++i)
    if (i % kBlock == 0) fences_.push_back(entry->key.path_high);
  if (!fences_.empty()) load(0);
}

void KeyIndex::load(std::size_t block) {
  const std::int64_t first = static_cast<std::int64_t>(block * kBlock);
  const auto count = std::min<std::int64_t>(kBlock, entries_.size() - first);
  entries_.read(first, static_cast<std::size_t>(count), block_);
  loaded_ = block;
}

std::optional<KeyIndex::Entry> KeyIndex::find(const InputKey& key) {
  // The last block that begins below this path: equal ones may go over its end.
  const auto fence = std::lower_bound(fences_.begin(), fences_.end(), key.path_high);
  std::size_t block = static_cast<std::size_t>(fence - fences_.begin());
  if (block > 0) --block;
  std::optional<Entry> found;
  for (; block < fences_.size() && fences_[block] <= key.path_high; ++block) {
    if (block != loaded_) load(block);
    auto entry = std::lower_bound(block_.begin(), block_.end(), Entry{{key.path_high, 0, 0}, {}});
    for (; entry != block_.end() && entry->key.path_high == key.path_high; ++entry) {
      if (!entry->key.same_path(key)) continue;
      if (entry->key.same_version(key)) return *entry;
      if (!found) found = *entry;
    }
  }
  return found;
}

}  // namespace vecframe::job
