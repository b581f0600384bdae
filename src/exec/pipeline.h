// One shard from paths to vectors: list -> read -> prepare -> embed -> sink, as a stream under one
// byte budget.
//
// Reader threads fetch encoded bytes ahead. Each worker thread (one a core) either prepares a row -
// probe, decode, orient, convert, resize, crop, straight into a slot of a packed batch - or embeds
// a full batch on a lane; so decoding and inference share the cores without a thread more than
// there are, unless the user says how many of each there are to be. A failed row never enters a
// batch. Results leave in input order, or as they finish, through a bounded window, on the thread
// that called run().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/cancellation.h"
#include "base/row_error.h"
#include "embed/embedder.h"
#include "exec/stages.h"
#include "exec/vector_cache.h"
#include "exec/vector_form.h"
#include "image/probe.h"
#include "storage/listing.h"

namespace vecframe::exec {

enum class OnError : std::uint8_t { kRaise, kLog, kIgnore };

struct PipelineOptions {
  int threads = 0;                        ///< workers; 0: one a core this process may use
  Stages stages;                          ///< see concurrency_of()
  std::int64_t memory_limit = 512 << 20;  ///< bytes, weights not counted
  std::int64_t batch_size = 0;  ///< 0: what is measured to be fast, of what the budget allows; else
                                ///< exactly this
  std::optional<std::int64_t> limit;  ///< rows at most
  /// Rows leave in the order of the input; else as they finish. Texts always keep their order.
  bool ordered = true;
  image::DecodeLimits decode_limits;
  bool apply_orientation = true;
  bool fast_decode = false;  ///< JPEG no larger than the resize wants it; see image/reduce.h
  VectorForm vector;
  OnError on_error = OnError::kRaise;
  /// The run fails once a larger share of its rows has failed: from the 100th row on, and at the
  /// end.
  std::optional<double> max_error_rate;
  bool deduplicate = true;       ///< embed pictures of the same bytes once
  VectorCache* cache = nullptr;  ///< across runs
};

/// One finished row. `embedding` is empty when `error` is set.
struct Row {
  std::int64_t index = 0;  ///< position in the input
  std::string path;        ///< or, of a text, the place it came from
  std::string text;
  std::optional<RowError> error;
  std::uint32_t width = 0, height = 0;  ///< after orientation; 0 when the header could not be read
  std::optional<image::Format> format;
  std::span<const float> embedding;
};

/// Receives rows, in input order unless the options say otherwise. May throw RunError, which ends
/// the run.
class RowSink {
 public:
  virtual ~RowSink() = default;
  virtual void write(const Row& row) = 0;
  /// Whether the row at this position of the input may come next, where they come without order.
  /// The first of those that have not come always may.
  virtual bool accepts(std::int64_t /*index*/) { return true; }
  /// Most bytes the sink holds back at a time; taken from the budget when the run begins.
  virtual std::int64_t max_buffered_bytes() const = 0;
};

/// Counters of a run; also what a progress callback sees while it goes on.
struct Statistics {
  std::int64_t rows = 0;  ///< finished, failed ones included
  std::int64_t failed = 0;
  std::int64_t listed = 0;  ///< seen by the listing so far
  bool listing_done = false;
  std::int64_t bytes_read = 0;
  std::map<std::string, std::int64_t> failures;  ///< by "stage/code"
  double seconds = 0;                            ///< wall clock
  double read_seconds = 0, prepare_seconds = 0, embed_seconds = 0,
         write_seconds = 0;  ///< summed over threads
  double read_wait_seconds = 0, prepare_wait_seconds = 0, embed_wait_seconds = 0,
         write_wait_seconds = 0;  ///< likewise, without anything to do
  std::int64_t rows_read = 0, rows_prepared = 0, rows_embedded = 0;
  std::int64_t duplicates = 0;  ///< rows that got the vector of another row of this run
  std::int64_t cache_hits = 0;  ///< rows whose vector was known from another run
  std::int64_t retries = 0;
  std::int64_t batches = 0, batch_size = 0;
  std::int64_t memory_failures = 0;  ///< after which batches were halved
  int threads = 0;                   ///< workers
  Concurrency concurrency;
  std::int64_t budget_bytes = 0, peak_budget_bytes = 0;
};

using ProgressCallback = std::function<void(const Statistics&)>;
/// Called for each failed row under kLog.
using FailureCallback = std::function<void(const Row&)>;

/// What makes the vectors: an embedder, its preparation, and the length of its vectors.
struct EmbedStage {
  std::shared_ptr<embed::ImageEmbedder> embedder;
  image::PrepareSpec prepare;
  std::int64_t dimension = 0;
};

/// Throws RequestError for an option out of range. `dimension` is the embedder's, 0 without one.
void check_options(const PipelineOptions& options, std::int64_t dimension);

/// The least memory_limit with which this stage can run one lane of one picture, beside a sink that
/// holds back `sink_bytes`.
std::int64_t minimum_memory(const EmbedStage& stage, std::int64_t sink_bytes);

/// Runs to the end of the listing. Without an `embed` stage pictures are not decoded: rows have
/// width, height and format from their headers. The sink and both callbacks are called on the
/// calling thread, failures in the order of the rows; what they throw ends the run and reaches the
/// caller. Throws RequestError (an option out of range, memory_limit too small), RunError (kRaise
/// met a bad row, which the message names: with order the first of the input; too many rows failed;
/// the sink failed), Cancelled.
Statistics run(storage::Listing& listing, const std::optional<EmbedStage>& embed, RowSink& sink,
               const PipelineOptions& options, const CancellationToken& cancellation,
               const ProgressCallback& progress = {}, const FailureCallback& failure = {});

}  // namespace vecframe::exec
