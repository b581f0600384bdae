#include "exec/row_failures.h"

#include <vecframe/error.h>

#include <mutex>
#include <string>

namespace vecframe::exec {

void report_failure(const StepContext& context, std::int64_t first_row, const RowFailure& failure) {
  const std::string row =
      failure.source.empty() ? "row " + std::to_string(first_row + failure.row) : failure.source;
  const bool deferred = failure.severity == Severity::kDeferred;
  if (failure.severity == Severity::kFatal || (deferred && failure.on_error == OnError::kRaise))
    throw RunError(row + ": " + failure.error.to_string());
  if (!deferred) return;
  std::lock_guard lock(*context.report_mutex);
  if (context.statistics != nullptr) {
    ++context.statistics->failed;
    ++context.statistics->failures[std::string(to_string(failure.error.stage)) + "/" +
                                   std::string(to_string(failure.error.code))];
  }
  if (context.on_failed_row) context.on_failed_row(row, failure.error);
  if (failure.on_error == OnError::kLog && context.on_failure)
    context.on_failure(row, failure.error);
}

}  // namespace vecframe::exec
