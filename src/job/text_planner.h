// From a file of texts to shards: blocks of so many lines, each a range of bytes.
//
// Block n is shard n. A block whose part holds these very texts, made by this recipe, is passed by;
// any other is computed, and its part replaced.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fingerprint.h"
#include "job/inventory.h"
#include "job/planned_rows.h"
#include "job/shard.h"
#include "storage/text_source.h"

namespace vecframe::job {

struct TextPlannerOptions {
  std::int64_t rows_per_part = 8192;
  std::optional<std::int64_t> limit;
  ShardShare share;
  bool add_missing = true;
  bool retry_failed = false;
};

/// Gives the rows that are to be computed, and tells `planned` of each.
class TextPlanner final : public storage::TextSource {
 public:
  /// `path` as of open_text_lines(); standard input is one run of blocks that nothing is known of.
  TextPlanner(std::string path, TextPlannerOptions options, const Inventory& inventory,
              PlannedRows& planned);

  Outcome next(storage::TextRow& row, std::chrono::milliseconds patience) override;
  /// True if nothing is to be computed; looks for the first row that is.
  bool finished();
  /// Parts beyond the end of the texts, once they have been read to it; of a limited run none.
  const std::vector<std::int64_t>& superfluous() const { return superfluous_; }

 private:
  struct Scan {
    std::int64_t rows = 0, end = 0;
    std::string content;
  };

  bool find_block();
  void end();
  Scan scan_block() const;
  std::int64_t block_rows() const;
  bool is_done(const CommittedPart& part, const Scan& scan) const;

  const std::string path_;
  const TextPlannerOptions options_;
  const Inventory& inventory_;
  PlannedRows& planned_;

  storage::TextPlace place_;  // of block_
  std::int64_t block_ = 0;
  std::unique_ptr<storage::TextSource> source_;  // of the block under way
  std::shared_ptr<Shard> shard_;
  std::int64_t shard_rows_ = 0;
  Fingerprint content_;
  bool ended_ = false;
  std::vector<std::int64_t> superfluous_;
};

/// Adds a row to the fingerprint of its block.
void add_text(Fingerprint& content, const storage::TextRow& row);

}  // namespace vecframe::job
