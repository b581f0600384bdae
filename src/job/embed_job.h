// A run as a whole: inputs to a committed output with a report.
//
// Output is one `.parquet` file or a directory of parts; either appears by rename only when it is
// complete, and on any failure nothing new is visible. A directory is locked against a second run.
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
#include "storage/table_io.h"

namespace vecframe::job {

/// Columns of the output, each by the name it gets; an empty name leaves the column out.
struct OutputColumn {
  enum class Source : std::uint8_t { kPath, kText, kEmbedding, kError, kWidth, kHeight, kFormat };
  Source source;
  std::string name;
};

enum class WriteMode : std::uint8_t { kError, kOverwrite };

struct EmbedJob {
  std::vector<std::string> inputs;  ///< of pictures
  std::string texts;                ///< in their place, a file of one text a line; see
                                    ///< storage::open_text_lines
  /// Null for a job that only looks at headers (no kEmbedding column): width, height, format.
  std::shared_ptr<const embed::ImageEmbedderDescriptor> descriptor;
  std::shared_ptr<const embed::TextEmbedderDescriptor> text_descriptor;  ///< of a job of texts
  std::vector<OutputColumn> columns;
  exec::PipelineOptions pipeline;
  std::string output;  ///< see output_kind()
  WriteMode mode = WriteMode::kError;
  std::int64_t rows_per_part = 65536;  ///< directory output
};

/// Of the embedder; null for a job without one.
const embed::EmbedderFacts* facts_of(const EmbedJob& job);

enum class OutputKind : std::uint8_t { kFile, kDirectory };
/// A path that ends in '/', is an existing directory or lacks the suffix `.parquet` is a directory
/// of parts.
OutputKind output_kind(const std::string& output);

/// Throws RequestError when the output exists and may not be replaced, or its parent is missing.
void check_output(const std::string& output, WriteMode mode);

struct Report {
  exec::Statistics statistics;
  bool of_texts = false;  ///< else of pictures
  embed::EmbedderFacts embedder;
  std::string output;
  std::vector<std::string> parts;
  std::int64_t peak_memory_bytes = 0;  ///< VmHWM of the process
  double load_seconds = 0;             ///< making the embedder
  std::string library_version;
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
