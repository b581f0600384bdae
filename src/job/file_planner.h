// From a listing of files to shards: what has to be computed, given what an output holds already.
//
// Rows of files that no part knows become new shards, in the order of the listing. Rows whose file
// changed since, that were made by another recipe, or that failed and are to be tried again, become
// shards that write their part again. Neither the listing nor the keys of the output are held in
// memory: keys are sorted on disk, and what is to be written again waits in a scratch file until
// the listing is over.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "job/disk_sort.h"
#include "job/inventory.h"
#include "job/key_index.h"
#include "job/shard.h"
#include "storage/listing.h"

namespace vecframe::job {

struct PlannerOptions {
  std::int64_t rows_per_part = 8192;
  std::int64_t bytes_per_part = std::int64_t{2} << 30;  ///< of files; a shard ends behind it
  std::optional<std::int64_t> limit;                    ///< of the listing
  ShardShare share;
  bool add_missing = true;    ///< new and changed files, rows of another recipe
  bool retry_failed = false;  ///< rows that failed, of this recipe
  bool prune = false;         ///< rows whose files are not listed go
  /// A part with one row to be computed again is computed again as a whole, without what it has of
  /// files that are not listed.
  bool whole_parts = false;
  std::string scratch;  ///< directory for scratch files
};

/// The key of a path, and the bytes that its file counts.
struct KeyedFile {
  InputKey key;
  std::int64_t bytes = 0;
};
using KeyFile = std::function<KeyedFile(const std::string& path)>;

class FilePlanner final : public RowPlanner {
 public:
  /// `index` holds the keys of `inventory`'s parts; null if there are none. All outlive the
  /// planner.
  FilePlanner(storage::Listing& listing, KeyFile key_file, PlannerOptions options,
              const Inventory& inventory, KeyIndex* index);

  /// Throws RequestError for a part of another recipe that has rows of files which are not listed,
  /// unless they are to be pruned.
  std::optional<PlannedRow> next() override;

  /// After the last row: shards that only drop rows, one after the other.
  std::optional<Shard> next_pruned();

 private:
  // A row of a part that is to be computed again. Its path and key are at `offset` of spool_.
  struct Again {
    RowPlace place;
    std::int64_t offset;
    bool operator<(const Again& other) const { return place < other.place; }
  };

  std::optional<PlannedRow> next_listed();
  std::optional<PlannedRow> next_again();
  std::optional<PlannedRow> take_missing(std::string path, const KeyedFile& file);
  void keep_again(const KeyIndex::Entry& entry, const std::string& path, const InputKey& key);
  const Again* next_of_changed_part();
  void begin_rewrite(std::uint32_t part);
  void finish_listing();
  [[noreturn]] void refuse(const CommittedPart& part, std::int64_t rows) const;
  void refuse_forgotten_parts() const;
  PlannedRow read_again(const Again& again) const;
  std::vector<std::uint32_t> unseen_rows(std::uint32_t part,
                                         DiskSort<RowPlace>::Cursor& seen) const;

  storage::Listing& listing_;
  const KeyFile key_file_;
  const PlannerOptions options_;
  const Inventory& inventory_;
  KeyIndex* const index_;
  FreeIds ids_;

  bool listed_all_ = false;
  std::int64_t num_listed_ = 0;
  std::shared_ptr<Shard> shard_;  // under construction
  std::int64_t shard_rows_ = 0, shard_bytes_ = 0;

  std::unique_ptr<storage::ScratchFile> spool_;
  DiskSort<Again> again_;
  std::optional<DiskSort<Again>::Cursor> again_cursor_;
  DiskSort<RowPlace> seen_;  // rows whose file was listed; kept for pruning alone
  std::optional<DiskSort<RowPlace>::Cursor> seen_cursor_;
  std::vector<bool> changed_parts_;       // of whole_parts
  std::vector<std::uint32_t> rewritten_;  // parts that a shard of next() writes again, ascending
  std::uint32_t next_part_ = 0;           // of next_pruned()
  std::size_t next_rewritten_ = 0;
};

}  // namespace vecframe::job
