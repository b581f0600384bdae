// What a part says of itself in its footer: enough to rebuild the manifest and to resume.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "job/input_key.h"
#include "job/recipe.h"
#include "job/shard.h"
#include "storage/table_io.h"

namespace vecframe::job {

struct PartFacts {
  std::int64_t id = 0;
  std::int64_t num_rows = 0, num_failed = 0;
  Recipe recipe;
  std::string inputs;  ///< of a shard that is no run of files or texts: what it was made of
  std::optional<TextRange> texts;
  std::vector<InputKey> keys;  ///< one an input; for files that is one a row
};

/// Null for a Parquet file that no job has written. Throws RequestError if it cannot be read.
std::optional<PartFacts> read_part_facts(const std::string& path, storage::TableModule& tables);

/// Puts all of it into the footer, under keys that begin with `vecframe.`.
void write_part_facts(const PartFacts& facts, storage::TableWriter& writer);

std::string to_json(const TextRange& range);

}  // namespace vecframe::job
