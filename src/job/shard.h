// The unit of a job: a run of the input that becomes one part of the output.
//
// A shard's id names its part, and the rename of that part is its commit: whoever runs a shard
// twice has it once. Shards are planned as the input is listed, never all at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "job/input_key.h"

namespace vecframe::job {

/// A run of a file of texts, from the beginning of one line to that of another.
struct TextRange {
  std::int64_t begin = 0, end = 0;  ///< bytes
  std::int64_t first_line = 0;      ///< lines before it
  std::string content;              ///< fingerprint of its texts
};

struct Shard {
  /// What becomes of a part that is written again.
  struct Rewrite {
    std::vector<std::uint32_t> replaced;  ///< rows of the part that the shard computes, in order
    std::vector<std::uint32_t> dropped;   ///< rows that go
    bool nothing_kept = false;            ///< rows that are not replaced go too
    std::int64_t num_rows = 0;            ///< of the part, as it was planned
  };
  std::int64_t id = 0;
  std::optional<Rewrite> rewrite;
  std::optional<TextRange> texts;
};

/// A row that is to be computed.
struct PlannedRow {
  std::string path;
  InputKey key;
  std::shared_ptr<const Shard> shard;
  bool ends_shard = false;  ///< known to be its last; a shard also ends where another begins
};

/// Rows in the order of their shards. For one thread.
class RowPlanner {
 public:
  virtual ~RowPlanner() = default;
  virtual std::optional<PlannedRow> next() = 0;
};

/// The share of a run that one of several processes takes.
struct ShardShare {
  std::int64_t index = 0;  ///< from 0
  std::int64_t count = 1;
  bool whole() const { return count == 1; }
};

}  // namespace vecframe::job
