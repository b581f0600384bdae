// Embeddings by a provider under random delays, failures and cancellations: of the source, of rows,
// of calls for a passing reason, of the run, of the consumer; sync and async, with and without
// order.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <algorithm>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "columnar/array_view.h"
#include "columnar/batch.h"
#include "embed_rows_run.h"
#include "row_embedders.h"
#include "stress_run.h"

namespace vecframe::exec {
namespace {

using columnar::Morsel;
using columnar::TypeKind;

// t0, t1, ... to the number of different ones, and from t0 again, each with the number of its row;
// in morsels of random sizes.
class RandomTexts final : public Operator {
 public:
  RandomTexts(std::int64_t count, std::int64_t different, Dice& dice,
              std::optional<std::int64_t> fails_at)
      : count_(count), different_(different), dice_(dice), fails_at_(fails_at) {}
  std::optional<Morsel> next() override {
    dice_.delay();
    if (fails_at_ && next_ >= *fails_at_) throw RunError("the source went away");
    if (next_ == count_) return std::nullopt;
    const std::int64_t rows = std::min(count_ - next_, 1 + dice_.below(12));
    columnar::ColumnBuilder texts({TypeKind::kString}), numbers({TypeKind::kString});
    for (const std::int64_t end = next_ + rows; next_ < end; ++next_) {
      texts.append(std::string_view("t" + std::to_string(next_ % different_)));
      numbers.append(std::string_view(std::to_string(next_)));
    }
    ArrowArray text, number;
    texts.finish(&text);
    numbers.finish(&number);
    return Morsel{{columnar::share(text), columnar::share(number)}, rows};
  }

 private:
  const std::int64_t count_, different_;
  Dice& dice_;
  const std::optional<std::int64_t> fails_at_;
  std::int64_t next_ = 0;
};

struct Trial {
  explicit Trial(std::uint32_t seed) : dice(seed) {
    const auto maybe = [&](std::int64_t one_in, std::int64_t below) {
      return dice.one_in(one_in) ? std::optional(dice.below(below)) : std::nullopt;
    };
    count = dice.below(150);
    different = dice.one_in(2) ? 150 : 1 + dice.below(60);
    ordered = dice.one_in(2);
    refused = maybe(2, 150);
    short_at = maybe(4, 150);
    run_ends_at = maybe(6, 150);
    source_fails_at = maybe(6, 100);
    consumer_fails_at = maybe(6, 100);
    cancelled_after = maybe(3, 10000);
    rules.batch_size = 1 + dice.below(9);
    rules.concurrency = 1 + dice.below(4);
    rules.is_async = dice.one_in(2);
    rules.max_retries = 3;
    texts = std::make_shared<Texts>(
        rules, [this](std::span<const std::string_view> batch) { return answer(batch); });
  }

  std::vector<RowVector> answer(std::span<const std::string_view> batch) {
    dice.delay();
    for (const std::string_view text : batch) {
      const auto number = static_cast<std::int64_t>(vector_of(text).values[1]);
      if (number == run_ends_at) throw RunError("no licence");
      if (number == refused) throw std::invalid_argument("refused");
      // Each row is the cause of one passing failure at most, so that retries are enough.
      if (number % 40 == 7 && failed_once(number))
        throw TransientError("busy", std::chrono::milliseconds(1));
    }
    std::vector<RowVector> vectors = vectors_of(batch);
    for (const std::string_view text : batch)
      if (short_at && vector_of(text).values[1] == static_cast<float>(*short_at))
        vectors.pop_back();
    return vectors;
  }
  bool failed_once(std::int64_t number) {
    std::lock_guard lock(mutex);
    return failed.insert(number).second;
  }

  Dice dice;
  std::int64_t count = 0, different = 0;
  bool ordered = true;
  std::optional<std::int64_t> refused, short_at, run_ends_at, source_fails_at, consumer_fails_at,
      cancelled_after;
  CallRules rules;
  std::mutex mutex;
  std::set<std::int64_t> failed;
  std::shared_ptr<Texts> texts;
};

void check_row(const Trial& trial, const Morsel& morsel, std::int64_t row) {
  const auto number =
      std::stoll(std::string(columnar::string_at(*morsel.columns[0], row).substr(1)));
  if (number == trial.refused || number == trial.short_at) {
    EXPECT_FALSE(columnar::is_valid(*morsel.columns[2], row)) << number;
    EXPECT_THAT(std::string(columnar::string_at(*morsel.columns[3], row)),
                testing::StartsWith("embed/"));
    return;
  }
  ASSERT_TRUE(columnar::is_valid(*morsel.columns[2], row))
      << number << ": " << columnar::string_at(*morsel.columns[3], row);
  std::vector<float> scratch;
  EXPECT_EQ(columnar::embedding_at(*morsel.columns[2], row, kVectors, scratch)[1],
            static_cast<float>(number));
}

void run_seed(std::uint32_t seed) {
  SCOPED_TRACE(seed);
  Trial trial(seed);
  const int threads_before = count_threads();
  CancellationToken stop;
  std::vector<std::int64_t> seen;
  bool whole = false;
  {
    const Watchdog watchdog("seed " + std::to_string(seed));
    StepContext context{
        .threads = static_cast<int>(1 + trial.dice.below(3)),
        .memory_limit = 32 << 20,
        .cancellation = stop,
        .row_descriptor = [&](const plan::EmbedCall&) -> RowDescriptor { return trial.texts; }};
    const plan::ComputedColumn column = column_of(text_call(vecframe::OnError::kIgnore));
    std::optional<std::thread> canceller;
    if (trial.cancelled_after)
      canceller.emplace([&] {
        std::this_thread::sleep_for(std::chrono::microseconds(*trial.cancelled_after));
        stop.cancel();
      });
    try {
      const auto rows =
          make_embed_rows(std::make_unique<RandomTexts>(trial.count, trial.different, trial.dice,
                                                        trial.source_fails_at),
                          {{{"text", {TypeKind::kString}}, {"row", {TypeKind::kString}}}, {}},
                          column, context, trial.ordered);
      while (const std::optional<Morsel> morsel = rows->next()) {
        trial.dice.delay();
        for (std::int64_t row = 0; row < morsel->num_rows; ++row) {
          seen.push_back(std::stoll(std::string(columnar::string_at(*morsel->columns[1], row))));
          check_row(trial, *morsel, row);
        }
        if (trial.consumer_fails_at &&
            static_cast<std::int64_t>(seen.size()) > *trial.consumer_fails_at)
          throw RunError("disk full");
      }
      whole = true;
    } catch (const Cancelled&) {
      EXPECT_TRUE(trial.cancelled_after);
    } catch (const RunError&) {
      EXPECT_TRUE(trial.source_fails_at || trial.consumer_fails_at || trial.run_ends_at);
    }
    if (canceller) canceller->join();
  }
  EXPECT_TRUE(threads_are_back_to(threads_before));
  if (trial.ordered) {
    for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i], static_cast<std::int64_t>(i));
  }
  const std::set<std::int64_t> different(seen.begin(), seen.end());
  EXPECT_EQ(different.size(), seen.size());
  EXPECT_TRUE(!whole || static_cast<std::int64_t>(seen.size()) == trial.count);
}

TEST(EmbedRowsStressTest, EveryRowOnceUnderDelaysFailuresAndCancellations) {
  const int seeds = num_seeds(100);
  for (int seed = 0; seed < seeds && !testing::Test::HasFailure(); ++seed)
    run_seed(static_cast<std::uint32_t>(seed));
}

}  // namespace
}  // namespace vecframe::exec
