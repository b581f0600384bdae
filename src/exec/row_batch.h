// A batch of rows for an embedder of a provider, and what becomes of it: vectors, smaller batches,
// or another try.
#pragma once

#include <vecframe/provider.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <random>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"
#include "exec/row_value.h"

namespace vecframe::exec {

using BatchClock = std::chrono::steady_clock;

/// Rows without nulls, of pictures or of texts: the other vector is empty.
struct RowBatch {
  std::vector<std::int64_t> rows;  ///< their numbers in the input
  std::vector<Picture> pictures;
  std::vector<std::string_view> texts;
  std::vector<RowCredit> credits;  ///< for what the rows hold of the budget
  std::int64_t failures = 0;       ///< transient ones so far
  BatchClock::time_point not_before{};

  std::size_t size() const { return rows.size(); }
  /// The rows from `first` on, which leave this batch.
  RowBatch split_off(std::size_t first);
};

/// The answers to a batch, or what ended the call.
using BatchAnswer = std::variant<std::vector<RowVector>, std::exception_ptr>;

struct BatchOutcome {
  std::vector<std::pair<std::int64_t, Result<std::vector<float>>>> finished;  ///< by row number
  std::vector<RowBatch> again;
};

/// What an embedder's answers mean.
struct AnswerRules {
  std::int64_t dimension = 0;  ///< of its vectors
  std::int64_t max_retries = 0;
};

/// Sorts out an answer. A batch that failed is halved until rows at fault stand alone; one that
/// failed for a passing reason comes again after 100 ms, then twice as long each time, or as long
/// as the embedder asked, up to a minute. Throws what ends the run: RunError, Cancelled.
BatchOutcome sort_out(RowBatch batch, BatchAnswer answer, const AnswerRules& rules,
                      BatchClock::time_point now, std::minstd_rand& random);

}  // namespace vecframe::exec
