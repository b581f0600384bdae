// Runs whose shards other processes compute, and what can be done with their outputs.
#pragma once

#include <vecframe/dataframe.h>
#include <vecframe/export.h>
#include <vecframe/run.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vecframe {

/// Plans a run of write_parquet() into a directory, and hands out its shards one by one. Holds the
/// directory's lock while it lives; its memory does not grow with the input. For one thread.
class VECFRAME_API PlannedRun {
 public:
  /// Throws RequestError as write_parquet(), and for a plan whose rows cannot be told apart by
  /// their inputs (one that sorts, say). An earlier output that is to be replaced is removed at
  /// once.
  PlannedRun(const DataFrame& frame, const std::string& path, const WriteOptions& options = {});
  ~PlannedRun();
  PlannedRun(PlannedRun&&) noexcept;
  PlannedRun& operator=(PlannedRun&&) noexcept;

  /// The next shard as JSON, for a ShardRunner of the same dataframe; nothing at the end.
  std::optional<std::string> next_shard();
  /// Takes what ShardRunner::run() gave for one shard; once for each.
  void add(const std::string& report, const std::vector<FailedInput>& failed_inputs = {});
  /// After every shard was run: writes manifest and report, the sum of those that were added
  /// (JSON), and returns the latter. `facts`: a JSON object of what is known of the run as a whole,
  /// such as its wall time, in the place of sums. Throws RunError, and names them, if parts are
  /// missing.
  std::string finish(const std::string& facts = "{}");

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Computes shards of a PlannedRun and commits their parts; loads the model once. To run a shard
/// again, here or elsewhere, does no harm: its part is there once. For one thread.
class VECFRAME_API ShardRunner {
 public:
  /// `frame`, `path` and `options` are those of the PlannedRun.
  ShardRunner(const DataFrame& frame, const std::string& path, const WriteOptions& options = {});
  ~ShardRunner();
  ShardRunner(ShardRunner&&) noexcept;
  ShardRunner& operator=(ShardRunner&&) noexcept;

  /// Throws RequestError for a shard that another plan or other options made, RunError when the run
  /// it belongs to is over.
  RunReport run(const std::string& shard);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// A call of embed_image() or embed_text() in a plan, for whoever starts workers for it.
struct EmbedderUse {
  std::string provider, model;
  bool of_texts = false;  ///< else of pictures
  bool is_local = false;  ///< a model that this library runs itself
  bool is_async = false;
  std::string device;  ///< of a local one, as the call has it
  /// The call's, else the provider's.
  std::optional<std::int64_t> concurrency;
  std::optional<double> num_gpus;
  /// What makes the embedder, if it is not local: one of these.
  std::shared_ptr<const EmbedderDescriptor<Picture>> pictures;
  std::shared_ptr<const EmbedderDescriptor<std::string_view>> texts;
};

/// Every occurrence of such a call. A copy of the plan by way of its JSON has them in the same
/// order.
VECFRAME_API std::vector<EmbedderUse> embedders_of(const DataFrame& frame);
/// The plan as one of several workers runs it: with these embedders, where `uses` (those of
/// embedders_of()) has one, and a single one for each sync call, since workers stand side by side.
/// Throws RequestError if they are not of this plan.
VECFRAME_API DataFrame for_worker(const DataFrame& frame, const std::vector<EmbedderUse>& uses);

/// Runs one plan over one table after another, and loads its models once: for engines that bring
/// blocks of rows. For one thread.
class VECFRAME_API TableRunner {
 public:
  /// `frame` begins with a table (from_arrow()), which may be empty: its columns matter. Throws
  /// RequestError for another one.
  explicit TableRunner(const DataFrame& frame, const RunOptions& options = {});
  ~TableRunner();
  TableRunner(TableRunner&&) noexcept;
  TableRunner& operator=(TableRunner&&) noexcept;

  /// Takes the stream over; fills `out`, which the receiver releases. Throws RequestError for a
  /// table of other columns.
  void run(ArrowArrayStream* table, ArrowArrayStream* out);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct MergedRun {
  bool complete = false;  ///< all shares of the run have ended
  std::int64_t parts = 0, rows = 0, failed = 0;
  std::int64_t shares = 0, missing_shares = 0;
};

/// Writes the manifest of a directory anew, from what its parts say of themselves, and its report
/// from those of the shares that wrote it. Throws RequestError if a run goes on there, or it holds
/// no output.
VECFRAME_API MergedRun merge_run(const std::string& directory);

/// The report (JSON) that the last run left in the directory. Throws RequestError if there is none.
VECFRAME_API std::string read_report(const std::string& directory);

/// A report (JSON) for people to read: what came out, where time went, why rows failed.
VECFRAME_API std::string report_text(const std::string& report);

}  // namespace vecframe
