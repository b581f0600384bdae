// A run of a plan of steps: to an output, or into memory.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "columnar/batch.h"
#include "exec/parallel_map.h"
#include "job/embed_job.h"
#include "plan/steps.h"
#include "storage/table_io.h"

namespace vecframe::job {

struct StepJob {
  plan::StepPlan plan;
  std::optional<embed::EmbedderFacts> embedder;  ///< of the first embedding, for the report
  std::string output;                            ///< see output_kind()
  WriteMode mode = WriteMode::kError;
};

/// The schema of its rows, with the metadata of the whole.
std::shared_ptr<const columnar::Schema> output_schema(const StepJob& job);

/// `context.statistics` is set by the run. Errors as job::run().
Report run(const StepJob& job, exec::StepContext& context, storage::TableModule& tables,
           const exec::ProgressCallback& progress = {});

/// Runs without an output.
Collected collect(const StepJob& job, exec::StepContext& context,
                  const exec::ProgressCallback& progress = {});

}  // namespace vecframe::job
