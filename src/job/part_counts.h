// How many rows the parts of an output have.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace vecframe::job {

struct PartCounts {
  std::int64_t rows = 0, failed = 0;
};

/// Counts by shard, in the order of their ids. One block of memory: a node for each shard would
/// stay among the large blocks that the shard frees, and the heap would grow by one of those each
/// time.
class CountsByShard {
 public:
  using Entry = std::pair<std::int64_t, PartCounts>;

  /// Replaces what is known of this shard. At the end, unless ids come out of order.
  void set(std::int64_t id, PartCounts counts) {
    const auto at = find(id);
    if (at != entries_.end() && at->first == id) {
      entries_[static_cast<std::size_t>(at - entries_.begin())].second = counts;
    } else {
      entries_.insert(at, {id, counts});
    }
  }
  bool contains(std::int64_t id) const {
    const auto at = find(id);
    return at != entries_.end() && at->first == id;
  }
  bool empty() const { return entries_.empty(); }
  std::vector<Entry>::const_iterator begin() const { return entries_.begin(); }
  std::vector<Entry>::const_iterator end() const { return entries_.end(); }

 private:
  std::vector<Entry>::const_iterator find(std::int64_t id) const {
    return std::lower_bound(entries_.begin(), entries_.end(), id,
                            [](const Entry& entry, std::int64_t key) { return entry.first < key; });
  }

  std::vector<Entry> entries_;
};

}  // namespace vecframe::job
