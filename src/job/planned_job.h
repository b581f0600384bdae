// A run into a directory whose shards are computed by other processes: one plans and finishes,
// others compute and commit.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "job/embed_job.h"
#include "job/shard_spec.h"
#include "job/shard_writer.h"
#include "job/step_job.h"

namespace vecframe::job {

/// Holds the directory's lock. Shards are planned as they are asked for, so that its memory does
/// not grow with the input. For one thread.
class PlannedJob {
 public:
  /// Throws RequestError as run(). An earlier output that is to be replaced is removed now.
  PlannedJob(EmbedJob job, storage::TableModule& tables);
  /// Of a plan whose rows can be told apart by their inputs. The specs' files are its units.
  PlannedJob(StepJob job, const exec::StepContext& context, storage::TableModule& tables);
  ~PlannedJob();

  /// Nothing at the end.
  std::optional<ShardSpec> next();
  /// Of one shard that was run: its report (JSON) and, in a run with dead letters, its failures.
  void add(const std::string& report, const std::vector<FailedInput>& failed = {});
  /// After every shard is committed: manifest, and one report of those that were added, which is
  /// returned. `facts`: a JSON object of what is known of the run as a whole, in the place of sums.
  /// Throws RunError, and names them, if parts are missing.
  std::string finish(const std::string& facts = "{}");

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Computes one shard and commits its part. Throws RequestError for a shard of another plan,
/// RunError when the run that planned it is over.
Report run_shard(const EmbedJob& job, const ShardSpec& spec, storage::TableModule& tables,
                 const CancellationToken& cancellation, const exec::ProgressCallback& progress = {},
                 const exec::FailureCallback& failure = {});

/// The writer of one shard. Throws as run_shard() for a shard of another recipe or a run that is
/// over.
ShardWriter begin_shard(const DirectoryFiles& directory, const ShardSpec& spec,
                        std::shared_ptr<const columnar::Schema> schema, const Recipe& recipe,
                        storage::TableModule& tables);

/// Descriptors whose embedder is loaded once, for a process that computes many shards.
std::shared_ptr<const embed::ImageEmbedderDescriptor> loaded_once(
    std::shared_ptr<const embed::ImageEmbedderDescriptor> descriptor);
std::shared_ptr<const embed::TextEmbedderDescriptor> loaded_once(
    std::shared_ptr<const embed::TextEmbedderDescriptor> descriptor);

}  // namespace vecframe::job
