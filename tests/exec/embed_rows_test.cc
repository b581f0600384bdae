#include "exec/embed_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "columnar/array_view.h"
#include "columnar/batch.h"
#include "embed_rows_run.h"
#include "exec/map_step.h"
#include "exec/sources.h"
#include "row_embedders.h"
#include "storage/local_file.h"

namespace vecframe::exec {
namespace {

using columnar::Morsel;
using columnar::TypeKind;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Le;

// t0, t1, ....
std::vector<std::string> texts_of(std::size_t count) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i) texts.push_back("t" + std::to_string(i));
  return texts;
}

struct OutputRow {
  std::vector<float> vector;
  std::string error;
};

// Both kinds of embedder have to do the same.
struct EmbedRowsTest : testing::TestWithParam<bool> {
  columnar::Schema schema{{{"text", {TypeKind::kString}}}, {}};
  CancellationToken cancellation;
  Statistics statistics;
  std::vector<std::string> logged;
  std::shared_ptr<Texts> texts;
  StepContext context{
      .threads = 2,
      .memory_limit = 32 << 20,
      .cancellation = cancellation,
      .on_failure =
          [this](const std::string& row, const RowError& error) {
            logged.push_back(row + ": " + error.to_string());
          },
      .statistics = &statistics,
      .row_descriptor = [this](const plan::EmbedCall&) -> RowDescriptor { return texts; }};

  void use(CallRules rules, TextCall call = vectors_of) {
    rules.is_async = GetParam();
    texts = std::make_shared<Texts>(rules, std::move(call));
  }

  std::vector<OutputRow> run(const std::vector<std::string>& input,
                             vecframe::OnError on_error = vecframe::OnError::kLog,
                             std::size_t morsel_rows = 7) {
    const auto rows = make_embed_rows(source_of(input, morsel_rows), schema,
                                      column_of(text_call(on_error)), context);
    std::vector<OutputRow> output;
    while (const std::optional<Morsel> morsel = rows->next()) {
      for (std::int64_t row = 0; row < morsel->num_rows; ++row) {
        const std::string& text = input[output.size()];
        if (columnar::is_valid(*morsel->columns[0], row)) {
          EXPECT_EQ(columnar::string_at(*morsel->columns[0], row), text);
        } else {
          EXPECT_EQ(text, "");
        }
        OutputRow made;
        std::vector<float> scratch;
        if (columnar::is_valid(*morsel->columns[1], row)) {
          const auto vector = columnar::embedding_at(*morsel->columns[1], row, kVectors, scratch);
          made.vector.assign(vector.begin(), vector.end());
        }
        if (columnar::is_valid(*morsel->columns[2], row))
          made.error = columnar::string_at(*morsel->columns[2], row);
        output.push_back(std::move(made));
      }
    }
    EXPECT_EQ(output.size(), input.size());
    return output;
  }
};

INSTANTIATE_TEST_SUITE_P(Kinds, EmbedRowsTest, testing::Bool(), [](const auto& kind) {
  return std::string(kind.param ? "Async" : "Sync");
});

TEST_P(EmbedRowsTest, GivesEachRowItsVectorInOrder) {
  for (const std::int64_t concurrency : {1, 3}) {
    use({.batch_size = 4, .concurrency = concurrency});
    const std::vector<std::string> input = texts_of(500);
    const std::vector<OutputRow> rows = run(input);
    for (std::size_t i = 0; i < rows.size(); ++i)
      ASSERT_EQ(rows[i].vector, vector_of(input[i]).values) << i;
  }
}

TEST_P(EmbedRowsTest, BatchesAreOfExactlyTheSizeAcrossMorselsAndNulls) {
  use({.batch_size = 10, .concurrency = 2});
  std::vector<std::string> input = texts_of(105);
  for (const std::size_t i : {0u, 3u, 50u, 51u, 104u}) input[i].clear();
  const std::vector<OutputRow> rows = run(input, vecframe::OnError::kRaise, 3);
  EXPECT_THAT(texts->counter.sizes(), Each(10u));
  EXPECT_EQ(texts->counter.sizes().size(), 10u);
  for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i].vector.empty(), input[i].empty());
}

TEST_P(EmbedRowsTest, TheCallsOwnWordsComeBeforeTheProviders) {
  use({.batch_size = 10, .concurrency = 4});
  plan::EmbedCall call = text_call(vecframe::OnError::kRaise);
  call.batch_size = 3;
  call.concurrency = 1;
  const auto rows = make_embed_rows(source_of(texts_of(12), 5), schema, column_of(call), context);
  while (rows->next()) {
  }
  EXPECT_THAT(texts->counter.sizes(), ElementsAre(3u, 3u, 3u, 3u));
  EXPECT_EQ(texts->counter.most(), 1);
}

TEST_P(EmbedRowsTest, EmbeddersAreKeptForTheNextRunOfTheSamePlan) {
  use({.batch_size = 4, .concurrency = 2});
  const int each = GetParam() ? 1 : 2;
  for (int shard = 0; shard < 3; ++shard)
    EXPECT_THAT(run(texts_of(20)).back().vector, ElementsAre(3, 19));
  EXPECT_EQ(texts->instances, each);
  // Those of a run that is left were asked to stop.
  auto rows = make_embed_rows(source_of(texts_of(1000), 7), schema,
                              column_of(text_call(vecframe::OnError::kLog)), context);
  EXPECT_TRUE(rows->next());
  EXPECT_EQ(texts->instances, each);
  rows.reset();
  EXPECT_THAT(run(texts_of(20)).back().vector, ElementsAre(3, 19));
  EXPECT_EQ(texts->instances, 2 * each);
}

TEST_P(EmbedRowsTest, OneRowNoRowsAndOnlyNulls) {
  use({.batch_size = 8});
  EXPECT_THAT(run(texts_of(1))[0].vector, ElementsAre(2, 0));
  EXPECT_TRUE(run({}).empty());
  const std::vector<OutputRow> nulls = run(std::vector<std::string>(1000));
  EXPECT_TRUE(std::all_of(nulls.begin(), nulls.end(), [](const OutputRow& row) {
    return row.vector.empty() && row.error.empty();
  }));
  EXPECT_THAT(texts->counter.sizes(), ElementsAre(1u));
}

TEST_P(EmbedRowsTest, ABadRowCostsOneRow) {
  use({.batch_size = 8}, [](std::span<const std::string_view> batch) {
    for (const std::string_view text : batch)
      if (text == "t5" || text == "t21")
        throw std::runtime_error("cannot read " + std::string(text));
    return vectors_of(batch);
  });
  const std::vector<std::string> input = texts_of(40);
  const std::vector<OutputRow> rows = run(input);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == 5 || i == 21) {
      EXPECT_EQ(rows[i].error, "embed/embedder_failed: cannot read " + input[i]);
      EXPECT_TRUE(rows[i].vector.empty());
    } else {
      EXPECT_EQ(rows[i].vector, vector_of(input[i]).values) << i;
      EXPECT_EQ(rows[i].error, "");
    }
  }
  EXPECT_EQ(statistics.failed, 2);
  EXPECT_EQ(statistics.failures["embed/embedder_failed"], 2);
  EXPECT_THAT(logged, ElementsAre("row 5: embed/embedder_failed: cannot read t5",
                                  "row 21: embed/embedder_failed: cannot read t21"));
}

TEST_P(EmbedRowsTest, AllRowsMayBeBad) {
  use({.batch_size = 8}, [](std::span<const std::string_view>) -> std::vector<RowVector> {
    throw std::runtime_error("never");
  });
  for (const OutputRow& row : run(texts_of(30)))
    EXPECT_EQ(row.error, "embed/embedder_failed: never");
}

TEST_P(EmbedRowsTest, BadVectorsAreErrorsOfTheirRows) {
  use({.batch_size = 4}, [](std::span<const std::string_view> batch) {
    std::vector<RowVector> vectors = vectors_of(batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      if (batch[i] == "t1") vectors[i].values.push_back(1);
      if (batch[i] == "t2") vectors[i].values[0] = std::numeric_limits<float>::quiet_NaN();
      if (batch[i] == "t3") vectors[i] = {{}, "too long"};
      if (batch[i] == "t4") vectors[i].values.clear();
    }
    if (std::find(batch.begin(), batch.end(), "t9") != batch.end()) vectors.pop_back();
    return vectors;
  });
  const std::vector<OutputRow> rows = run(texts_of(12));
  EXPECT_THAT(rows[1].error, HasSubstr("embed/bad_output: the vector has 3 values"));
  EXPECT_THAT(rows[2].error, HasSubstr("embed/bad_output: value 0 of the vector is NaN"));
  EXPECT_EQ(rows[3].error, "embed/embedder_failed: too long");
  EXPECT_THAT(rows[4].error, HasSubstr("embed/bad_output: the vector has 0 values"));
  EXPECT_THAT(rows[9].error, HasSubstr("embed/bad_output: the embedder gave 0 vectors"));
  for (const std::size_t good : {0u, 5u, 8u, 10u, 11u}) EXPECT_EQ(rows[good].error, "") << good;
}

TEST_P(EmbedRowsTest, RaiseEndsTheRunAtTheFirstRowOfTheInput) {
  use({.batch_size = 5, .concurrency = 3}, [](std::span<const std::string_view> batch) {
    for (const std::string_view text : batch)
      if (text == "t33" || text == "t90") throw std::runtime_error("no");
    return vectors_of(batch);
  });
  try {
    run(texts_of(200), vecframe::OnError::kRaise);
    FAIL();
  } catch (const RunError& error) {
    EXPECT_STREQ(error.what(), "row 33: embed/embedder_failed: no");
  }
}

TEST_P(EmbedRowsTest, PassingFailuresAreTriedAgain) {
  std::atomic<int> failures = 0;
  use({.batch_size = 5, .concurrency = 2, .max_retries = 2},
      [&](std::span<const std::string_view> batch) {
        if (batch.front() == "t0" && ++failures <= 2)
          throw TransientError("busy", std::chrono::milliseconds(1));
        return vectors_of(batch);
      });
  for (const OutputRow& row : run(texts_of(20), vecframe::OnError::kRaise))
    EXPECT_EQ(row.vector.size(), 2u);
  EXPECT_EQ(failures, 3);
}

TEST_P(EmbedRowsTest, AFailureOfTheRunEndsIt) {
  use({.batch_size = 2}, [](std::span<const std::string_view>) -> std::vector<RowVector> {
    throw RunError("the key was refused");
  });
  try {
    run(texts_of(20), vecframe::OnError::kIgnore);
    FAIL();
  } catch (const RunError& error) {
    EXPECT_STREQ(error.what(), "the key was refused");
  }
}

TEST_P(EmbedRowsTest, ConcurrencyIsKeptAndUsed) {
  // Each call waits for the others, so all three have to be there at once.
  std::mutex mutex;
  std::condition_variable changed;
  int inside = 0, met = 0;
  use({.batch_size = 1, .concurrency = 3}, [&](std::span<const std::string_view> batch) {
    if (!GetParam()) {
      std::unique_lock lock(mutex);
      ++inside;
      if (inside == 3) met = 3;
      changed.notify_all();
      changed.wait(lock, [&] { return met == 3; });
    }
    return vectors_of(batch);
  });
  run(texts_of(40));
  EXPECT_LE(texts->counter.most(), 3);
  if (!GetParam()) {
    EXPECT_EQ(texts->counter.most(), 3);
  }
  EXPECT_EQ(texts->instances, GetParam() ? 1 : 3);
}

TEST_P(EmbedRowsTest, StopsWhenToldTo) {
  std::atomic<int> calls = 0;
  use({.batch_size = 2}, [&](std::span<const std::string_view> batch) {
    if (++calls == 3) cancellation.cancel();
    return vectors_of(batch);
  });
  EXPECT_THROW(run(texts_of(2000)), Cancelled);
}

TEST_P(EmbedRowsTest, ATickThatThrowsEndsTheRun) {
  use({.batch_size = 2});
  context.tick = [] { throw std::runtime_error("interrupted"); };
  EXPECT_THROW(run(texts_of(20)), std::runtime_error);
}

TEST_P(EmbedRowsTest, ALimitMayLeaveTheRestUnembedded) {
  use({.batch_size = 2, .concurrency = 2});
  const auto rows = make_embed_rows(source_of(texts_of(5000), 100), schema,
                                    column_of(text_call(vecframe::OnError::kRaise)), context);
  ASSERT_TRUE(rows->next());
  EXPECT_LT(texts->counter.sizes().size(), 2500u);
}

TEST_P(EmbedRowsTest, TooLittleMemoryIsAWrongRequest) {
  use({.batch_size = 4096, .concurrency = 16});
  context.memory_limit = 1 << 20;
  try {
    run(texts_of(3));
    FAIL();
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("memory_limit=1048576 is too small: 16 batches of 4096"));
  }
}

TEST_P(EmbedRowsTest, ColumnsOfProvidersStandWhereTheStepHasThem) {
  use({.batch_size = 3});
  plan::EmbedCall first = text_call(vecframe::OnError::kRaise);
  plan::EmbedCall second = text_call(vecframe::OnError::kRaise);
  first.error_column.reset();
  const plan::MapStep step{{column_of(first, "a"), column_of(second, "b")}};
  const auto map = open_map(source_of(texts_of(10), 4), schema, step, context);
  std::int64_t seen = 0;
  while (const std::optional<Morsel> morsel = map->next()) {
    ASSERT_EQ(morsel->columns.size(), 4u);
    for (std::int64_t row = 0; row < morsel->num_rows; ++row, ++seen) {
      std::vector<float> scratch;
      for (const std::size_t column : {1u, 2u})
        EXPECT_EQ(columnar::embedding_at(*morsel->columns[column], row, kVectors, scratch)[1],
                  static_cast<float>(seen));
      EXPECT_FALSE(columnar::is_valid(*morsel->columns[3], row));
    }
  }
  EXPECT_EQ(seen, 10);
}

// The first rows are embedded only after all others have left, many times what the window holds.
TEST_P(EmbedRowsTest, WithoutOrderASlowBatchHoldsNobodyUp) {
  if (GetParam()) return;  // the async embedder of this test has one thread
  std::atomic<bool> others_left = false;
  use({.batch_size = 4, .concurrency = 2}, [&](std::span<const std::string_view> batch) {
    while (std::find(batch.begin(), batch.end(), "t0") != batch.end() && !others_left)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return vectors_of(batch);
  });
  const std::vector<std::string> input = texts_of(3000);
  const auto rows = make_embed_rows(source_of(input, 4), schema,
                                    column_of(text_call(vecframe::OnError::kRaise)), context,
                                    /*ordered=*/false);
  std::set<std::string> seen;
  std::string last;
  while (const std::optional<Morsel> morsel = rows->next()) {
    for (std::int64_t row = 0; row < morsel->num_rows; ++row) {
      last = columnar::string_at(*morsel->columns[0], row);
      EXPECT_TRUE(seen.insert(last).second) << last;
      std::vector<float> scratch;
      const auto vector = columnar::embedding_at(*morsel->columns[1], row, kVectors, scratch);
      EXPECT_EQ(vector[1], static_cast<float>(std::stoi(last.substr(1))));
    }
    others_left = seen.size() >= input.size() - 4;
  }
  EXPECT_EQ(seen.size(), input.size());
  EXPECT_EQ(last, "t3");
}

}  // namespace
}  // namespace vecframe::exec
