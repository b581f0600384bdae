// Which plans of steps can be divided into shards, and the source of one shard.
//
// A unit of input is a file of a listing, or some row groups of a Parquet file; a shard is a run of
// units. What a part remembers are the keys of its units, since a filter may leave any number of
// rows; so a part with a changed unit is computed anew as a whole.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "exec/parallel_map.h"
#include "job/directory_run.h"
#include "job/file_planner.h"
#include "job/inventory.h"
#include "job/recipe.h"
#include "job/step_job.h"
#include "plan/steps.h"
#include "storage/listing.h"
#include "storage/table_io.h"

namespace vecframe::job {

/// Why the plan's rows cannot be told apart by their inputs; empty if they can.
std::string why_in_one_stream(const plan::StepPlan& plan);

/// All that the rows of the plan depend on besides their inputs.
Recipe recipe_of(const StepJob& job, const exec::StepContext& context,
                 const columnar::Schema& schema);

/// What a part remembers of a unit of row groups: JSON of its file and groups; empty for a file.
std::string describe_unit(const plan::StepPlan& plan, const std::string& unit);

/// The units of a plan's source and their planner. `job` and `run` outlive it.
class PlannedUnits {
 public:
  /// Throws RequestError for what cannot be done with rows that are not those of files.
  PlannedUnits(const StepJob& job, DirectoryRun& run, storage::TableModule& tables);
  FilePlanner& planner() { return *planner_; }
  /// Parts of row groups that their files, which have changed, do not have any more; after the last
  /// unit.
  std::vector<std::int64_t> outdated() const;

 private:
  const StepJob& job_;
  const Inventory& inventory_;
  std::unique_ptr<storage::Listing> units_;
  std::set<std::string> listed_;  // of row groups alone: as describe_unit() has them
  std::optional<FilePlanner> planner_;
};

/// The context of one run of many shards: models are loaded once.
exec::StepContext shard_context(const exec::StepContext& context);
/// Makes the plan's source read these units alone.
void read_units(exec::StepContext& context, const std::vector<std::string>& units,
                storage::TableModule& tables);

}  // namespace vecframe::job
