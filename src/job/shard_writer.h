// Writes the shards of a run into its directory, one after the other; each is committed, by the
// rename of its part, as soon as it is whole.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "job/output_directory.h"
#include "job/part.h"
#include "job/part_counts.h"
#include "job/recipe.h"
#include "job/shard.h"

namespace vecframe::job {

class ShardWriter {
 public:
  /// With `staged` nothing is visible before commit_staged().
  ShardWriter(const DirectoryFiles& directory, std::shared_ptr<const columnar::Schema> schema,
              Recipe recipe, storage::TableModule& tables, bool staged);

  void begin(std::shared_ptr<const Shard> shard);
  bool in_shard() const { return shard_ != nullptr; }
  const Shard* shard() const { return shard_.get(); }
  void write(columnar::Batch batch, std::int64_t num_failed);
  void write(const columnar::Morsel& morsel);
  void add_key(const InputKey& key);
  /// Of the shard in hand: what it was made of, and how many of its rows failed.
  void set_inputs(std::string inputs);
  void add_failed(std::int64_t count);
  /// Completes the part and commits it.
  void finish();
  /// A shard that computes no rows: its part loses some.
  void drop_rows(const Shard& shard);
  /// Takes away a part that another one has replaced.
  void remove(std::int64_t id);

  /// Replaces all parts of the directory by those written.
  void commit_staged();

  /// A run whose shards others compute: commits only while its token stands; see epoch.h.
  void set_epoch(std::string token) { epoch_ = std::move(token); }
  /// Called before the first change of the directory.
  void on_first_commit(std::function<void()> callback) { on_first_commit_ = std::move(callback); }
  /// Counts by shard of the parts that were written.
  const CountsByShard& written() const { return written_; }
  const std::vector<std::int64_t>& removed() const { return removed_; }

 private:
  void commit(Part& part, std::int64_t id);
  void merge(const Shard& shard, const std::string* fresh_path,
             const std::vector<InputKey>& fresh_keys);
  void announce();

  const DirectoryFiles& directory_;
  const std::shared_ptr<const columnar::Schema> schema_;
  const Recipe recipe_;
  storage::TableModule& tables_;
  const bool staged_;
  std::string epoch_;
  std::function<void()> on_first_commit_;
  std::shared_ptr<const Shard> shard_;
  std::optional<Part> part_;
  std::vector<InputKey> spare_keys_;  // the memory of the last part's, for the next one's
  std::vector<std::pair<std::int64_t, Part>> staged_parts_;
  CountsByShard written_;
  std::vector<std::int64_t> removed_;
  bool announced_ = false;
};

}  // namespace vecframe::job
