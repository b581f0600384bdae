// A run into a directory of parts.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "job/embed_job.h"
#include "job/inventory.h"
#include "job/key_index.h"
#include "job/output_directory.h"
#include "job/recipe.h"
#include "job/shard_writer.h"

namespace vecframe::job {

/// The directory while a run goes on: what it held before, and what is written.
class DirectoryRun {
 public:
  /// Reads what the directory holds, if the run goes on from there. Throws RequestError as
  /// OutputDirectory and Inventory, and for an append of another recipe.
  DirectoryRun(const std::string& output, const OutputOptions& options,
               std::shared_ptr<const columnar::Schema> schema, Recipe recipe,
               storage::TableModule& tables);

  const OutputDirectory& directory() const { return directory_; }
  const Inventory& inventory() const { return *inventory_; }
  /// Keys of its parts; null if there is nothing to look up.
  KeyIndex* index() { return index_ ? &*index_ : nullptr; }
  ShardWriter& writer() { return writer_; }
  const Recipe& recipe() const { return recipe_; }

  /// Called at the end of a run that came to its end: the manifest and the report, unless nothing
  /// was written and nothing is missing.
  void finish(Report& report);

 private:
  void write_manifest(bool complete);
  void write_share(Report& report);

  const OutputOptions options_;
  storage::TableModule& tables_;
  const std::shared_ptr<const columnar::Schema> schema_;
  const Recipe recipe_;
  OutputDirectory directory_;
  std::optional<KeyIndex> index_;
  std::optional<Inventory> inventory_;
  const bool staged_;
  ShardWriter writer_;
};

/// What a recipe is for a job over files or texts.
Recipe recipe_of(const EmbedJob& job, const columnar::Schema& schema);

/// job::run() for a directory.
Report run_to_directory(const EmbedJob& job, storage::TableModule& tables,
                        const CancellationToken& cancellation,
                        const exec::ProgressCallback& progress,
                        const exec::FailureCallback& failure);

}  // namespace vecframe::job
