#include "exec/embed_window.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vecframe::exec {
namespace {

using std::chrono::milliseconds;

// Rows without columns, three at a time.
std::optional<columnar::Morsel> three_rows() { return columnar::Morsel{{}, 3}; }

EmbedWindow::Rules rules(bool ordered) {
  EmbedWindow::Rules result;
  result.batch_size = 4;
  result.rows = 100;
  result.ordered = ordered;
  result.answers.dimension = 1;
  result.patience = milliseconds(5);
  return result;
}

// With a content that no other row has.
void prepare(EmbedWindow& window, const EmbedWindow::RowPlace& place) {
  const auto row = static_cast<std::uint64_t>(place.chunk->first_row + place.row);
  EXPECT_FALSE(window.prepared(place, {"text", {0, row}, {}, {}}));
}

bool prepare(EmbedWindow& window, std::uint64_t content) {
  return window.prepared(*window.take_row(), {"text", {1, content}, {}, {}});
}

void answer(EmbedWindow& window, RowBatch batch, std::vector<RowVector> vectors) {
  window.complete(std::move(batch), std::move(vectors));
}

// A row is being prepared, and will be for long.
TEST(EmbedWindowTest, ABatchLeavesWithoutRowsThatDoNotCome) {
  EmbedWindow window(rules(true), three_rows, [] { return 0; });
  prepare(window, *window.take_row());
  prepare(window, *window.take_row());
  ASSERT_TRUE(window.take_row());
  const auto batch = window.take_batch();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->size(), 2u);
  window.stop();
}

TEST(EmbedWindowTest, WithoutOrderABatchTakesTheRowsThatAreThere) {
  EmbedWindow window(rules(false), three_rows, [] { return 0; });
  ASSERT_TRUE(window.take_row());
  for (int i = 0; i < 5; ++i) prepare(window, *window.take_row());
  const auto batch = window.take_batch();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->rows, (std::vector<std::int64_t>{1, 2, 3, 4}));
  window.stop();
}

// A chunk in the middle leaves before the first, in which a row is still being prepared.
TEST(EmbedWindowTest, WithoutOrderChunksLeaveAsTheyAreDone) {
  EmbedWindow window(rules(false), three_rows, [] { return 0; });
  const auto slow = window.take_row();
  for (int i = 0; i < 8; ++i) prepare(window, *window.take_row());
  for (int i = 0; i < 2; ++i) {
    RowBatch batch = *window.take_batch();
    std::vector<RowVector> vectors;
    for (const std::int64_t row : batch.rows) vectors.push_back({{static_cast<float>(row)}, {}});
    window.complete(std::move(batch), std::move(vectors));
  }
  for (const std::int64_t first : {3, 6}) {
    EmbedChunk* chunk = window.wait_done(milliseconds(1000));
    ASSERT_NE(chunk, nullptr);
    EXPECT_EQ(chunk->first_row, first);
    EXPECT_EQ(chunk->vectors[1][0], static_cast<float>(first + 1));
    window.pop(chunk);
  }
  EXPECT_EQ(window.wait_done(milliseconds(1)), nullptr);
  prepare(window, *slow);
  RowBatch last = *window.take_batch();
  EXPECT_EQ(last.rows, std::vector<std::int64_t>{0});
  window.complete(std::move(last), std::vector<RowVector>{{{0.0f}, {}}});
  EXPECT_NE(window.wait_done(milliseconds(1000)), nullptr);
  window.stop();
}

TEST(EmbedWindowTest, RowsOfTheSameContentAreEmbeddedOnce) {
  for (const bool ordered : {true, false}) {
    EmbedWindow::Rules once = rules(ordered);
    once.batch_size = 2;
    once.kept_vector_bytes = 1 << 20;
    EmbedWindow window(once, three_rows, [] { return 0; });
    EXPECT_FALSE(prepare(window, 7));
    EXPECT_TRUE(prepare(window, 7));
    EXPECT_FALSE(prepare(window, 8));
    RowBatch batch = *window.take_batch();
    EXPECT_EQ(batch.rows, (std::vector<std::int64_t>{0, 2}));
    EXPECT_TRUE(prepare(window, 7));  // while its first is in flight
    answer(window, std::move(batch), {{{7.0f}, {}}, {{8.0f}, {}}});
    EXPECT_TRUE(prepare(window, 8));  // known
    EXPECT_FALSE(prepare(window, 9));
    batch = *window.take_batch();
    EXPECT_EQ(batch.rows, std::vector<std::int64_t>{5});
    answer(window, std::move(batch), {{{9.0f}, {}}});
    std::vector<float> values;
    for (int i = 0; i < 2; ++i) {
      EmbedChunk* chunk = window.wait_done(milliseconds(1000));
      ASSERT_NE(chunk, nullptr);
      for (const EmbeddedRow& row : chunk->embedded) values.push_back(row.vector.front());
      window.pop(chunk);
    }
    EXPECT_EQ(values, (std::vector<float>{7, 7, 8, 7, 8, 9})) << ordered;
    window.stop();
  }
}

TEST(EmbedWindowTest, RowsOfTheSameContentFailTogetherAndTheNextOneIsTriedAgain) {
  EmbedWindow window(rules(true), three_rows, [] { return 0; });
  for (const bool same : {false, true, true}) EXPECT_EQ(prepare(window, 7), same);
  RowBatch batch = *window.take_batch();
  EXPECT_EQ(batch.size(), 1u);
  answer(window, std::move(batch), {{{}, "too dark"}});
  EmbedChunk* chunk = window.wait_done(milliseconds(1000));
  ASSERT_NE(chunk, nullptr);
  for (const EmbeddedRow& row : chunk->embedded) {
    ASSERT_TRUE(row.outcome.cause);
    EXPECT_NE(row.outcome.cause->message.find("too dark"), std::string::npos);
    EXPECT_TRUE(row.vector.empty());
  }
  window.pop(chunk);
  EXPECT_FALSE(prepare(window, 7));
  window.stop();
}

}  // namespace
}  // namespace vecframe::exec
