// A run of a plan of steps: to an output, or into memory.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "columnar/batch.h"
#include "exec/parallel_map.h"
#include "job/embed_job.h"
#include "job/shard_spec.h"
#include "plan/steps.h"
#include "storage/table_io.h"

namespace vecframe::job {

struct StepJob {
  plan::StepPlan plan;
  std::string description;  ///< of the operations behind the source, as the plan explains them
  std::optional<embed::EmbedderFacts> embedder;  ///< of the first embedding, for the report
  std::string output;                            ///< see output_kind()
  OutputOptions writing;
  std::string dead_letter;  ///< file for inputs that failed; empty: none
  std::optional<double> max_error_rate;
  std::optional<std::int64_t> expected_rows;  ///< of the result, where they are known before
};

/// The schema of its rows, with the metadata of the whole.
std::shared_ptr<const columnar::Schema> output_schema(const StepJob& job);

/// Sets how many rows the result will have, as far as that is known while the run goes on.
void note_listed(const StepJob& job, const exec::StepContext& context, bool ended,
                 exec::Statistics& statistics);

/// `context.statistics` is set by the run. Errors as job::run().
Report run(const StepJob& job, exec::StepContext& context, storage::TableModule& tables,
           const exec::ProgressCallback& progress = {});

/// Computes one shard of a PlannedJob and commits its part; see planned_job.h. `context` is one of
/// shard_context(), for all shards.
Report run_shard(const StepJob& job, exec::StepContext& context, const ShardSpec& spec,
                 storage::TableModule& tables, const exec::ProgressCallback& progress = {});

/// Runs without an output.
Collected collect(const StepJob& job, exec::StepContext& context,
                  const exec::ProgressCallback& progress = {});

}  // namespace vecframe::job
