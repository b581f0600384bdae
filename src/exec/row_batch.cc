#include "exec/row_batch.h"

#include <vecframe/error.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>
#include <string>

namespace vecframe::exec {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstDelay{100};
constexpr milliseconds kLongestDelay{60'000};

template <class T>
std::vector<T> tail(std::vector<T>& all, std::size_t first) {
  if (all.empty()) return {};
  const auto begin = all.begin() + static_cast<std::ptrdiff_t>(first);
  std::vector<T> moved(std::make_move_iterator(begin), std::make_move_iterator(all.end()));
  all.erase(begin, all.end());
  return moved;
}

RowError embedder_failed(std::string message) {
  return {Stage::kEmbed, ErrorCode::kEmbedderFailed, std::move(message)};
}

Result<std::vector<float>> checked(RowVector vector, std::int64_t dimension) {
  if (!vector.error.empty()) return embedder_failed(std::move(vector.error));
  if (static_cast<std::int64_t>(vector.values.size()) == dimension) return std::move(vector.values);
  return RowError{Stage::kEmbed, ErrorCode::kBadOutput,
                  "the vector has " + std::to_string(vector.values.size()) +
                      " values; the provider promised " + std::to_string(dimension)};
}

// Waits are spread by a quarter to both sides, so that clients that failed together do not come
// back together; what the embedder asked for is a lower bound.
milliseconds delay_of(std::int64_t failures, std::optional<milliseconds> asked,
                      std::minstd_rand& random) {
  if (asked) return std::clamp(*asked, milliseconds(0), kLongestDelay);
  const double doubled = std::ldexp(static_cast<double>(kFirstDelay.count()),
                                    static_cast<int>(std::min<std::int64_t>(failures - 1, 20)));
  const double capped = std::min(doubled, static_cast<double>(kLongestDelay.count()));
  return milliseconds(static_cast<std::int64_t>(
      capped * std::uniform_real_distribution<double>(0.75, 1.25)(random)));
}

void fail_all(RowBatch& batch, const RowError& error, BatchOutcome& outcome) {
  for (const std::int64_t row : batch.rows) outcome.finished.emplace_back(row, error);
}

void fail_or_halve(RowBatch batch, RowError error, BatchOutcome& outcome) {
  if (batch.size() == 1) {
    fail_all(batch, error, outcome);
    return;
  }
  RowBatch second = batch.split_off(batch.size() / 2);
  outcome.again.push_back(std::move(batch));
  outcome.again.push_back(std::move(second));
}

}  // namespace

RowBatch RowBatch::split_off(std::size_t first) {
  RowBatch second;
  second.rows = tail(rows, first);
  second.pictures = tail(pictures, first);
  second.texts = tail(texts, first);
  second.credits = tail(credits, first);
  failures = 0;
  not_before = {};
  return second;
}

BatchOutcome sort_out(RowBatch batch, BatchAnswer answer, const AnswerRules& rules,
                      BatchClock::time_point now, std::minstd_rand& random) {
  BatchOutcome outcome;
  if (auto* vectors = std::get_if<std::vector<RowVector>>(&answer)) {
    if (vectors->size() == batch.size()) {
      for (std::size_t i = 0; i < batch.size(); ++i)
        outcome.finished.emplace_back(batch.rows[i],
                                      checked(std::move((*vectors)[i]), rules.dimension));
      return outcome;
    }
    // Which vector is whose cannot be told, but of one row it can.
    fail_or_halve(std::move(batch),
                  {Stage::kEmbed, ErrorCode::kBadOutput,
                   "the embedder gave " + std::to_string(vectors->size()) + " vectors for one row"},
                  outcome);
    return outcome;
  }
  try {
    std::rethrow_exception(std::get<std::exception_ptr>(answer));
  } catch (const TransientError& error) {
    if (++batch.failures > rules.max_retries) {
      fail_all(batch, embedder_failed(error.what()), outcome);
      return outcome;
    }
    batch.not_before = now + delay_of(batch.failures, error.retry_after(), random);
    outcome.again.push_back(std::move(batch));
  } catch (const RunError&) {
    throw;
  } catch (const std::exception& error) {
    fail_or_halve(std::move(batch), embedder_failed(error.what()), outcome);
  }
  return outcome;
}

}  // namespace vecframe::exec
