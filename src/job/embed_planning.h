// What planning the rows of a job over files or texts takes, for whoever runs them.
#pragma once

#include <memory>
#include <optional>

#include "job/directory_run.h"
#include "job/file_planner.h"
#include "job/planned_rows.h"
#include "job/text_planner.h"
#include "storage/listing.h"

namespace vecframe::job {

/// Throws RequestError for what an output of this job's kind cannot do.
void check_writing(const EmbedJob& job);

/// A listing of the job's inputs and its planner. `run` outlives it.
class PlannedFiles {
 public:
  PlannedFiles(const EmbedJob& job, DirectoryRun& run);
  FilePlanner& planner() { return *planner_; }

 private:
  std::unique_ptr<storage::Listing> listing_;
  std::optional<FilePlanner> planner_;
};

TextPlannerOptions text_options(const EmbedJob& job);

/// The paths of planned rows, for the executor; the rest goes ahead to the sink.
class PlannedListing final : public storage::Listing {
 public:
  PlannedListing(RowPlanner& planner, PlannedRows& planned)
      : planner_(planner), planned_(planned), next_(planner_.next()) {}

  /// Whether there is anything to compute; before the first next().
  bool empty() const { return !next_; }
  std::optional<std::string> next() override;

 private:
  RowPlanner& planner_;
  PlannedRows& planned_;
  std::optional<PlannedRow> next_;
};

}  // namespace vecframe::job
