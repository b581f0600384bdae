// The calling thread's part of a run: rows to the sink, failures and figures to the callbacks.
#pragma once

#include <chrono>
#include <cstdint>

#include "exec/pipeline.h"
#include "exec/stage_clock.h"

namespace vecframe::exec {

/// What the threads of a run have counted so far, as figures of the run.
void count_into(const Counters& counters, Statistics& statistics);

class RowConsumer {
 public:
  RowConsumer(RowSink& sink, const PipelineOptions& options, Counters& counters,
              const ProgressCallback& progress, const FailureCallback& failure);

  Statistics& statistics() { return statistics_; }
  /// Counts the row and writes it. Throws RunError for a failed one under OnError::kRaise, and for
  /// one too many.
  void take(const Row& row);
  /// After the last row.
  void check_error_rate() const { check_error_rate(0); }
  /// Updates the statistics and calls the progress callback.
  void report(std::int64_t listed, bool listing_done, std::int64_t peak_bytes);
  /// True once the last report() was a while ago.
  bool report_is_due() const;

 private:
  void check_error_rate(std::int64_t least_rows) const;

  using Clock = std::chrono::steady_clock;

  RowSink& sink_;
  const PipelineOptions& options_;
  Counters& counters_;
  const ProgressCallback& progress_;
  const FailureCallback& failure_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point last_report_ = start_;
  Statistics statistics_;
};

}  // namespace vecframe::exec
