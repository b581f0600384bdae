// How a plan is run, and what is known afterwards.
#pragma once

#include <vecframe/export.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vecframe {

/// A snapshot of a run that goes on.
struct Progress {
  std::int64_t rows = 0;  ///< finished, failed ones included
  std::int64_t failed = 0;
  std::int64_t listed = 0;    ///< inputs found so far
  bool listing_done = false;  ///< if so, `listed` is the total
  double seconds = 0;
  /// Rows through each stage so far; those whose vector was known skip two of them.
  std::int64_t read = 0, prepared = 0, embedded = 0;
  std::int64_t duplicates = 0;  ///< rows that got the vector of another row of the same bytes
  std::int64_t cache_hits = 0;  ///< rows whose vector an earlier run left in the cache
  std::int64_t retries = 0;     ///< calls of the embedder for parts of a batch that failed
  std::int64_t bytes_read = 0;
};

/// One row that failed.
struct Failure {
  std::string path;
  std::string error;  ///< `stage/code: message`
};

/// Asks a run to stop; the run throws Cancelled. request() may be called from a signal handler.
class VECFRAME_API StopSource {
 public:
  StopSource();
  void request() noexcept;
  bool requested() const noexcept;
  /// For the library's own use.
  const std::shared_ptr<void>& state() const { return state_; }

 private:
  std::shared_ptr<void> state_;
};

/// How many rows may be in a stage at a time; what is not given is up to `threads`.
struct VECFRAME_API Stages {
  std::optional<int> download;  ///< files and URLs that are read
  std::optional<int> decode;    ///< pictures that are decoded and resized
  std::optional<int> embed;     ///< batches in the model

  /// Throws RequestError for a name that is none of these, and for a number out of range.
  void set(const std::string& name, std::int64_t count);
  static constexpr int kMost = 1024;
};

/// 512 MiB.
inline constexpr std::int64_t kDefaultMemoryLimit = std::int64_t{512} << 20;

struct RunOptions {
  /// Worker threads; 0: one for each processor this process may use.
  int threads = 0;
  Stages stages;
  /// Rows of the result in the order of the input; else as they finish, so that a slow one holds
  /// nobody up. The same rows either way. What sorts, limits or samples sees them in order, and
  /// texts keep theirs.
  bool ordered = true;
  /// Bytes for everything in flight: encoded and decoded pictures, activations, output buffers.
  /// Weights come on top.
  std::int64_t memory_limit = kDefaultMemoryLimit;
  std::function<void(const Progress&)>
      on_progress;  ///< about ten times a second, from one thread at a time
  std::function<void(const Failure&)> on_failure;  ///< under OnError::kLog
  /// Called when the run begins, for each thing that the plan does and its user hardly wants:
  /// see DataFrame::warnings().
  std::function<void(const std::string&)> on_warning;
  std::optional<StopSource> stop;
  /// Rows that travel through the plan together, at most; 0: as the source gives them. The result
  /// does not depend on it.
  std::int64_t morsel_rows = 0;
  /// Rewrite the plan before it runs, so that it does less for the same result (docs/dataframe.md).
  bool optimize = true;
};

enum class WriteMode : std::uint8_t {
  kError,      ///< refuse to replace an existing file or a directory that is not empty
  kOverwrite,  ///< replace it, when the new output is complete
  kAppend,     ///< add parts to a directory whose rows were made the same way
};

/// By what a changed input file is known.
enum class Detect : std::uint8_t {
  kTime,     ///< its size and time of modification
  kContent,  ///< a hash of its content, for which it is read once more
};

struct WriteOptions : RunOptions {
  WriteMode mode = WriteMode::kError;
  /// Go on with an output directory: compute what it has not, new and changed inputs, and rows that
  /// another model or other options made. Of a new directory this is the first run.
  bool resume = false;
  /// Compute failed rows again; without `resume` nothing else.
  bool retry_failed = false;
  /// Drop rows whose inputs are not listed any more; together with `resume`.
  bool prune = false;
  Detect detect = Detect::kTime;
  /// This process takes share `shard_index` (from 0) of `shard_count`; others run beside it, and
  /// the directory ends up with the rows of all. Implies `resume`.
  std::int64_t shard_index = 0, shard_count = 1;
  /// Rows of a part of a directory at most, and bytes of input files behind which a part ends.
  std::int64_t rows_per_part = 8192;
  std::int64_t bytes_per_part = std::int64_t{2} << 30;
  /// The run fails once a larger share of its rows (0 to 1) has failed: from the 100th row on, and
  /// at the end. Not for OnError::kRaise, which stops at the first.
  std::optional<double> max_error_rate;
  /// A file, `.jsonl` or `.parquet`, that gets the inputs that failed; empty: none.
  std::string dead_letter;
  /// A directory that keeps vectors by the content of their pictures, for runs to come, up to so
  /// many bytes; empty: none.
  std::string cache;
  std::int64_t cache_bytes = std::int64_t{4} << 30;
};

/// An input that failed, as the file of dead letters has it.
struct FailedInput {
  std::string input;  ///< a path, or where a text stands
  std::string stage, code, message;
};

struct RunReport {
  std::int64_t rows = 0;
  std::int64_t failed = 0;
  std::map<std::string, std::int64_t> failures;  ///< count by "stage/code"
  double seconds = 0;                            ///< without loading the model
  double load_seconds = 0;
  std::vector<std::string> notices;    ///< for people: parts put aside, recipes that changed
  std::int64_t peak_memory_bytes = 0;  ///< of the process
  std::string json;                    ///< everything, as docs/file-format.md describes it
  /// Of a ShardRunner whose options name a file of dead letters, which only PlannedRun writes.
  std::vector<FailedInput> failed_inputs;
};

}  // namespace vecframe
