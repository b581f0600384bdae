#include "exec/row_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <chrono>
#include <limits>
#include <string>
#include <vector>

namespace vecframe::exec {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr AnswerRules kRules{.dimension = 2, .max_retries = 2};

RowBatch batch_of(std::vector<std::int64_t> rows) {
  RowBatch batch;
  batch.rows = std::move(rows);
  batch.texts.resize(batch.rows.size(), "text");
  return batch;
}

template <class Error>
BatchAnswer thrown(Error error) {
  return std::make_exception_ptr(std::move(error));
}

struct RowBatchTest : testing::Test {
  BatchOutcome answer(RowBatch batch, BatchAnswer result) {
    return sort_out(std::move(batch), std::move(result), kRules, now, random);
  }
  const BatchClock::time_point now = BatchClock::now();
  std::minstd_rand random{1};
};

TEST_F(RowBatchTest, AnswersGoToTheirRows) {
  std::vector<RowVector> vectors{{{1, 2}, {}}, {{}, "no"}, {{1, 2, 3}, {}}};
  const BatchOutcome outcome = answer(batch_of({7, 8, 11}), vectors);
  ASSERT_EQ(outcome.finished.size(), 3u);
  EXPECT_TRUE(outcome.again.empty());
  EXPECT_EQ(outcome.finished[0].first, 7);
  EXPECT_THAT(*outcome.finished[0].second, ElementsAre(1, 2));
  EXPECT_EQ(outcome.finished[1].second.error().to_string(), "embed/embedder_failed: no");
  EXPECT_EQ(outcome.finished[2].second.error().to_string(),
            "embed/bad_output: the vector has 3 values; the provider promised 2");
}

TEST_F(RowBatchTest, AFailedBatchIsHalved) {
  const BatchOutcome outcome = answer(batch_of({1, 2, 3}), thrown(std::runtime_error("broken")));
  EXPECT_TRUE(outcome.finished.empty());
  ASSERT_EQ(outcome.again.size(), 2u);
  EXPECT_THAT(outcome.again[0].rows, ElementsAre(1));
  EXPECT_THAT(outcome.again[1].rows, ElementsAre(2, 3));
  EXPECT_EQ(outcome.again[1].texts.size(), 2u);
  const BatchOutcome alone = answer(batch_of({1}), thrown(std::runtime_error("broken")));
  ASSERT_EQ(alone.finished.size(), 1u);
  EXPECT_EQ(alone.finished[0].second.error().to_string(), "embed/embedder_failed: broken");
}

TEST_F(RowBatchTest, AWrongNumberOfVectorsIsHalvedToo) {
  EXPECT_EQ(answer(batch_of({1, 2}), std::vector<RowVector>(3)).again.size(), 2u);
  const BatchOutcome alone = answer(batch_of({1}), std::vector<RowVector>());
  ASSERT_EQ(alone.finished.size(), 1u);
  EXPECT_THAT(alone.finished[0].second.error().to_string(),
              HasSubstr("bad_output: the embedder gave 0 vectors for one row"));
}

TEST_F(RowBatchTest, ATransientFailureComesAgainLaterAndLater) {
  RowBatch batch = batch_of({1, 2});
  milliseconds last{0};
  for (int failure = 1; failure <= kRules.max_retries; ++failure) {
    BatchOutcome outcome = answer(std::move(batch), thrown(TransientError("busy")));
    ASSERT_EQ(outcome.again.size(), 1u);
    batch = std::move(outcome.again[0]);
    EXPECT_THAT(batch.rows, ElementsAre(1, 2));
    const auto delay = std::chrono::duration_cast<milliseconds>(batch.not_before - now);
    EXPECT_GE(delay, milliseconds(75)) << failure;
    EXPECT_GT(delay, last) << failure;
    last = delay;
  }
  const BatchOutcome outcome = answer(std::move(batch), thrown(TransientError("busy")));
  EXPECT_TRUE(outcome.again.empty());
  ASSERT_EQ(outcome.finished.size(), 2u);
  EXPECT_EQ(outcome.finished[1].second.error().to_string(), "embed/embedder_failed: busy");
}

TEST_F(RowBatchTest, TheEmbedderSaysWhenUpToAMinute) {
  for (const auto& [asked, waited] : {std::pair{milliseconds(2500), milliseconds(2500)},
                                      std::pair{milliseconds(3'600'000), milliseconds(60'000)},
                                      std::pair{milliseconds(-5), milliseconds(0)}}) {
    BatchOutcome outcome = answer(batch_of({1}), thrown(TransientError("busy", asked)));
    ASSERT_EQ(outcome.again.size(), 1u);
    EXPECT_EQ(outcome.again[0].not_before - now, waited);
  }
}

TEST_F(RowBatchTest, ARunErrorEndsTheRun) {
  EXPECT_THROW(answer(batch_of({1, 2}), thrown(RunError("refused"))), RunError);
}

}  // namespace
}  // namespace vecframe::exec
