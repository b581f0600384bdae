#include "exec/row_consumer.h"

#include <vecframe/error.h>

#include <algorithm>
#include <string>

namespace vecframe::exec {
namespace {

constexpr std::chrono::milliseconds kProgressInterval{100};
// Of fewer rows the share that failed says little.
constexpr std::int64_t kFirstChecked = 100;

}  // namespace

RowConsumer::RowConsumer(RowSink& sink, const PipelineOptions& options, Counters& counters,
                         const ProgressCallback& progress, const FailureCallback& failure)
    : sink_(sink), options_(options), counters_(counters), progress_(progress), failure_(failure) {
  statistics_.budget_bytes = options.memory_limit;
}

void RowConsumer::take(const Row& row) {
  ++statistics_.rows;
  if (row.error) {
    ++statistics_.failed;
    ++statistics_.failures[std::string(to_string(row.error->stage)) + "/" +
                           std::string(to_string(row.error->code))];
    if (options_.on_error == OnError::kRaise) {
      throw RunError(row.path + ": " + row.error->to_string());
    }
    if (options_.on_error == OnError::kLog && failure_) failure_(row);
  }
  {
    const StageClock::Scope scope(counters_.write);
    sink_.write(row);
  }
  if (row.error) check_error_rate(kFirstChecked);
}

void RowConsumer::check_error_rate(std::int64_t least_rows) const {
  if (!options_.max_error_rate) return;
  const auto rows = static_cast<double>(std::max(statistics_.rows, least_rows));
  const auto failed = static_cast<double>(statistics_.failed);
  if (failed <= *options_.max_error_rate * rows) return;
  throw RunError(std::to_string(statistics_.failed) + " of " + std::to_string(statistics_.rows) +
                 " rows failed, more than max_error_rate=" +
                 std::to_string(*options_.max_error_rate) + " allows");
}

void count_into(const Counters& counters, Statistics& statistics) {
  statistics.bytes_read = counters.bytes_read;
  statistics.batches = counters.batches;
  if (counters.batches > 0) statistics.batch_size = counters.batch_size;
  statistics.memory_failures = counters.memory_failures;
  statistics.read_seconds = counters.read.seconds();
  statistics.prepare_seconds = counters.prepare.seconds();
  statistics.embed_seconds = counters.embed.seconds();
  statistics.write_seconds = counters.write.seconds();
  statistics.read_wait_seconds = counters.read_wait.seconds();
  statistics.prepare_wait_seconds = counters.prepare_wait.seconds();
  statistics.embed_wait_seconds = counters.embed_wait.seconds();
  statistics.write_wait_seconds = counters.write_wait.seconds();
  statistics.rows_read = counters.rows_read;
  statistics.rows_prepared = counters.rows_prepared;
  statistics.rows_embedded = counters.rows_embedded;
  statistics.duplicates = counters.duplicates;
  statistics.cache_hits = counters.cache_hits;
  statistics.retries = counters.retries;
}

bool RowConsumer::report_is_due() const { return Clock::now() - last_report_ >= kProgressInterval; }

void RowConsumer::report(std::int64_t listed, bool listing_done, std::int64_t peak_bytes) {
  statistics_.listed = listed;
  statistics_.listing_done = listing_done;
  statistics_.peak_budget_bytes = peak_bytes;
  count_into(counters_, statistics_);
  last_report_ = Clock::now();
  statistics_.seconds = std::chrono::duration<double>(last_report_ - start_).count();
  if (progress_) progress_(statistics_);
}

}  // namespace vecframe::exec
