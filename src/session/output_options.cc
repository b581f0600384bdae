#include "session/output_options.h"

#include <vecframe/error.h>

namespace vecframe::session {
namespace {

job::WriteMode mode_of(const WriteOptions& options) {
  if (options.resume || options.retry_failed || options.shard_count > 1) {
    if (options.mode == WriteMode::kError) return job::WriteMode::kResume;
    throw RequestError("write_mode: an output is either gone on with (resume) or " +
                       std::string(options.mode == WriteMode::kAppend ? "added to (append)"
                                                                      : "replaced (overwrite)") +
                       "; give one of them");
  }
  switch (options.mode) {
    case WriteMode::kError:
      return job::WriteMode::kError;
    case WriteMode::kOverwrite:
      return job::WriteMode::kOverwrite;
    case WriteMode::kAppend:
      break;
  }
  return job::WriteMode::kAppend;
}

}  // namespace

job::OutputOptions output_options(const WriteOptions& options) {
  if (options.max_error_rate && !(*options.max_error_rate >= 0 && *options.max_error_rate <= 1))
    throw RequestError("max_error_rate=" + std::to_string(*options.max_error_rate) +
                       " is out of range; give a share of the rows from 0 to 1");
  job::OutputOptions result;
  result.mode = mode_of(options);
  result.add_missing = options.resume || !options.retry_failed;
  result.retry_failed = options.retry_failed;
  result.prune = options.prune;
  result.detect = options.detect == Detect::kContent ? job::Detect::kContent : job::Detect::kTime;
  result.share = {options.shard_index, options.shard_count};
  result.rows_per_part = options.rows_per_part;
  result.bytes_per_part = options.bytes_per_part;
  return result;
}

Progress to_progress(const exec::Statistics& s) {
  Progress progress;
  progress.rows = s.rows;
  progress.failed = s.failed;
  progress.listed = s.listed;
  progress.listing_done = s.listing_done;
  progress.seconds = s.seconds;
  progress.read = s.rows_read;
  progress.prepared = s.rows_prepared;
  progress.embedded = s.rows_embedded;
  progress.duplicates = s.duplicates;
  progress.cache_hits = s.cache_hits;
  progress.retries = s.retries;
  progress.bytes_read = s.bytes_read;
  return progress;
}

}  // namespace vecframe::session
