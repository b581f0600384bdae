// A run as a whole: inputs to a committed output with a report.
//
// Output is one `.parquet` file, which appears by rename when it is complete, or a directory of
// parts, each of which appears so: what was committed stays when a run breaks off, and the next run
// can go on from there. A directory is locked against a second run.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "embed/embedder.h"
#include "embed/text_embedder.h"
#include "exec/pipeline.h"
#include "job/dead_letters.h"
#include "job/shard.h"
#include "job/vector_store.h"
#include "storage/table_io.h"

namespace vecframe::job {

/// Columns of the output, each by the name it gets; an empty name leaves the column out.
struct OutputColumn {
  enum class Source : std::uint8_t { kPath, kText, kEmbedding, kError, kWidth, kHeight, kFormat };
  Source source;
  std::string name;
};

enum class WriteMode : std::uint8_t {
  kError,      ///< refuse what exists
  kOverwrite,  ///< replace it, when the new output is complete
  kAppend,     ///< add parts of the same recipe to a directory
  kResume,     ///< compute what a directory has not
};

/// By what a changed file is known.
enum class Detect : std::uint8_t { kTime, kContent };

/// How a run goes about what its directory holds already, and about its parts.
struct OutputOptions {
  WriteMode mode = WriteMode::kError;
  bool add_missing = true;    ///< of kResume: new and changed inputs, rows of another recipe
  bool retry_failed = false;  ///< of kResume: rows that failed
  bool prune = false;         ///< of kResume: drop rows whose inputs are not listed
  Detect detect = Detect::kTime;
  ShardShare share;
  std::int64_t rows_per_part = 8192;
  std::int64_t bytes_per_part = std::int64_t{2} << 30;  ///< of input files
};

/// Throws RequestError for options that contradict each other or the output.
void check_options(const OutputOptions& options, const std::string& output);

struct EmbedJob {
  std::vector<std::string> inputs;  ///< of pictures
  std::string texts;                ///< in their place, a file of one text a line; see
                                    ///< storage::open_text_lines
  /// Null for a job that only looks at headers (no kEmbedding column): width, height, format.
  std::shared_ptr<const embed::ImageEmbedderDescriptor> descriptor;
  std::shared_ptr<const embed::TextEmbedderDescriptor> text_descriptor;  ///< of a job of texts
  std::vector<OutputColumn> columns;
  exec::PipelineOptions pipeline;
  std::string output;                       ///< see output_kind()
  OutputOptions writing;                    ///< of a directory, but for the mode
  std::string dead_letter;                  ///< file for inputs that failed; empty: none
  std::optional<VectorStoreOptions> cache;  ///< of vectors of pictures, across runs
};

/// Of the embedder; null for a job without one.
const embed::EmbedderFacts* facts_of(const EmbedJob& job);

enum class OutputKind : std::uint8_t { kFile, kDirectory };
/// A path that ends in '/', is an existing directory or lacks the suffix `.parquet` is a directory
/// of parts.
OutputKind output_kind(const std::string& output);

/// Throws RequestError when the output exists and may not be replaced, or its parent is missing.
void check_output(const std::string& output, WriteMode mode);

/// What a directory holds after a run.
struct OutputTotals {
  std::int64_t parts = 0, rows = 0, failed = 0;
};

struct Report {
  exec::Statistics statistics;  ///< of this run
  bool of_texts = false;        ///< else of pictures
  bool fast_decode = false;     ///< of pictures, or of some of them
  embed::EmbedderFacts embedder;
  std::string output;
  std::vector<std::string> parts;      ///< that this run wrote
  std::optional<OutputTotals> totals;  ///< of a directory
  std::vector<std::string> notices;    ///< for the user: parts put aside, recipes that changed
  std::int64_t peak_memory_bytes = 0;  ///< VmHWM of the process
  double load_seconds = 0;             ///< making the embedder
  std::string library_version;
  std::vector<FailedInput> failed_inputs;  ///< of one shard of a run with dead letters; not in JSON
  std::string to_json() const;
};

/// Runs the job. Errors as exec::run(), and RunError when the output cannot be written.
Report run(const EmbedJob& job, storage::TableModule& tables, const CancellationToken& cancellation,
           const exec::ProgressCallback& progress = {}, const exec::FailureCallback& failure = {});

/// Runs without an output and returns the batches (df.show(), df.to_arrow()).
struct Collected {
  std::shared_ptr<const columnar::Schema> schema;
  std::vector<columnar::Batch> batches;
  Report report;
};
Collected collect(const EmbedJob& job, const CancellationToken& cancellation,
                  const exec::ProgressCallback& progress = {},
                  const exec::FailureCallback& failure = {});

/// Runs without an output and hands on each batch as it is made, of `batch_rows` rows at most. What
/// `receive` throws ends the run.
using BatchReceiver = std::function<void(columnar::Batch)>;
Report produce(const EmbedJob& job, std::int64_t batch_rows, const BatchReceiver& receive,
               const CancellationToken& cancellation, const exec::ProgressCallback& progress = {},
               const exec::FailureCallback& failure = {});

/// The schema of a job's output, with the file metadata that identifies model, processor, precision
/// and library.
std::shared_ptr<const columnar::Schema> output_schema(const EmbedJob& job);

}  // namespace vecframe::job
