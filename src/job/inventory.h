// What an output directory holds when a run begins.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "job/output_directory.h"
#include "job/part_metadata.h"

namespace vecframe::job {

struct CommittedPart {
  std::int64_t id = 0;
  std::int64_t rows = 0, failed = 0;
  bool current = false;  ///< made by the recipe of this run
  std::optional<TextRange> texts;
  std::string inputs;
};

/// Some hundred bytes a part; the keys of rows go through `on_facts` and are not kept.
class Inventory {
 public:
  using OnFacts = std::function<void(std::uint32_t part, const PartFacts& facts)>;

  Inventory() = default;
  /// A part that cannot be read is put aside as `_corrupt-NAME`, so that its rows are computed
  /// again. Throws RequestError for a file that no job has written.
  Inventory(const DirectoryFiles& directory, const Recipe& recipe, storage::TableModule& tables,
            const OnFacts& on_facts = {});

  const std::vector<CommittedPart>& parts() const { return parts_; }
  /// Names of what was put aside.
  const std::vector<std::string>& corrupt() const { return corrupt_; }
  /// How the first part of another recipe differs from this run's; empty if none does.
  const std::string& difference() const { return difference_; }
  std::int64_t num_rows() const;
  std::int64_t num_failed() const;

 private:
  std::vector<CommittedPart> parts_;  // by ascending id
  std::vector<std::string> corrupt_;
  std::string difference_;
};

/// Ids that no part has: those with id % count == index, in ascending order.
class FreeIds {
 public:
  FreeIds(const Inventory& inventory, ShardShare share);
  std::int64_t next();

 private:
  std::vector<std::int64_t> used_;  // ascending
  std::size_t position_ = 0;
  std::int64_t candidate_;
  const std::int64_t step_;
};

}  // namespace vecframe::job
