#include "exec/embed_window.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string_view>

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

void prepare(EmbedWindow& window, const EmbedWindow::RowPlace& place) {
  window.prepared(place, std::string_view("text"), {}, {});
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

}  // namespace
}  // namespace vecframe::exec
