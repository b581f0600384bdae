// A part written again: some of its rows replaced, some dropped, the others as they were.
#pragma once

#include <string>
#include <vector>

#include "job/part.h"
#include "job/shard.h"
#include "storage/table_io.h"

namespace vecframe::job {

/// Streams the rows of the part at `old_path` into `out`, in their order; where `rewrite` replaces
/// one, the next row of `fresh_path` comes in its place (null if it replaces none). Keys likewise.
/// What was done before may be done again. Throws RunError if the part is another one.
void merge_rows(const std::string& old_path, const std::string* fresh_path,
                const std::vector<InputKey>& fresh_keys, const Shard::Rewrite& rewrite,
                storage::TableModule& tables, Part& out);

}  // namespace vecframe::job
