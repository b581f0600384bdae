#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "parallel_map_run.h"

namespace vecframe::exec {
namespace {

using testing::HasSubstr;

TEST_F(ParallelMapTest, GivesEachRowItsVectorInOrder) {
  const std::vector<std::string> urls = write_pictures(directory, 200);
  for (const int threads : {1, 4}) {
    context.threads = threads;
    const auto rows = run(urls, embedding("raise", vecframe::OnError::kRaise));
    ASSERT_EQ(rows.size(), urls.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
      ASSERT_EQ(rows[i].vector, expected_vector(static_cast<std::int64_t>(i))) << i;
  }
}

TEST_F(ParallelMapTest, ABadRowCostsOneRow) {
  std::vector<std::string> urls = write_pictures(directory, 20);
  urls[3] = directory.file("nowhere.bmp");
  urls[8] = directory.file("text.bmp");
  write_bytes(urls[8], "not a picture at all");
  urls[12] = "";
  // The caller of the model decides about rows that read_images would give.
  const auto rows = run(urls, embedding("defer", vecframe::OnError::kLog));
  EXPECT_THAT(rows[3].error, HasSubstr("read/not_found"));
  EXPECT_THAT(rows[8].error, HasSubstr("decode/unknown_format"));
  EXPECT_EQ(rows[12].error, "");
  for (std::size_t i = 0; i < rows.size(); ++i)
    EXPECT_EQ(rows[i].vector.empty(), i == 3 || i == 8 || i == 12) << i;
  EXPECT_EQ(statistics.failed, 2);
  ASSERT_EQ(logged.size(), 2u);
  EXPECT_THAT(logged[0], HasSubstr("nowhere.bmp: read/not_found"));
}

TEST_F(ParallelMapTest, NullOnErrorIsNoFailure) {
  std::vector<std::string> urls = write_pictures(directory, 5);
  urls[2] = directory.file("nowhere.bmp");
  const auto rows = run(urls, embedding("null", vecframe::OnError::kRaise));
  EXPECT_TRUE(rows[2].vector.empty());
  EXPECT_THAT(rows[2].error, HasSubstr("read/not_found"));  // told all the same
  EXPECT_EQ(statistics.failed, 0);
}

TEST_F(ParallelMapTest, RaiseEndsTheRunAtTheFirstRow) {
  std::vector<std::string> urls = write_pictures(directory, 100);
  urls[40] = directory.file("first.bmp");
  urls[41] = directory.file("second.bmp");
  for (const char* on_error : {"raise", "defer"}) {
    try {
      run(urls, embedding(on_error, vecframe::OnError::kRaise));
      FAIL();
    } catch (const RunError& error) {
      EXPECT_THAT(error.what(), HasSubstr("first.bmp: read/not_found"));
    }
  }
}

TEST_F(ParallelMapTest, AnEmbedderThatRefusesARowFailsThatRow) {
  const std::vector<std::string> urls = write_pictures(directory, 30);
  hook = [](const std::uint8_t*, std::int64_t count, float* out) {
    for (std::int64_t i = 0; i < count; ++i)
      if (out[i * kColourDimension] == expected_vector(11)[0])
        throw std::runtime_error("not this one");
  };
  const auto rows = run(urls, embedding("raise", vecframe::OnError::kIgnore, 8));
  EXPECT_THAT(rows[11].error, HasSubstr("embed/embedder_failed: not this one"));
  EXPECT_EQ(rows[10].vector, expected_vector(10));
  EXPECT_EQ(rows[12].vector, expected_vector(12));
}

// Pictures of which few fit at a time, on more threads than that: nobody waits for ever, and what
// is too large is a row.
TEST_F(ParallelMapTest, LargePicturesShareTheBudget) {
  std::vector<std::string> urls;
  for (std::int64_t row = 0; row < 24; ++row)
    urls.push_back(write_picture(directory.file(std::to_string(row) + ".bmp"), row, 500, 400));
  urls.push_back(write_picture(directory.file("huge.bmp"), 99, 3000, 2000));
  context.threads = 6;
  context.memory_limit = 9 << 20;
  const auto rows = run(urls, embedding("defer", vecframe::OnError::kIgnore, 4));
  for (std::int64_t row = 0; row < 24; ++row)
    EXPECT_EQ(rows[static_cast<std::size_t>(row)].vector, expected_vector(row)) << row;
  EXPECT_THAT(rows[24].error, HasSubstr("over_budget"));
}

TEST_F(ParallelMapTest, TooLittleMemoryIsAWrongRequest) {
  context.memory_limit = 1 << 16;
  EXPECT_THROW(run({"x"}, embedding("null", vecframe::OnError::kIgnore)), RequestError);
}

TEST_F(ParallelMapTest, StopsWhenToldTo) {
  const std::vector<std::string> urls = write_pictures(directory, 200);
  std::atomic<int> embedded = 0;
  hook = [&](const std::uint8_t*, std::int64_t, float*) {
    if (++embedded == 2) cancellation.cancel();
  };
  EXPECT_THROW(run(urls, embedding("raise", vecframe::OnError::kRaise, 4)), Cancelled);
}

TEST_F(ParallelMapTest, NoRowsAreNoRows) {
  EXPECT_TRUE(run({}, embedding("raise", vecframe::OnError::kRaise)).empty());
}

}  // namespace
}  // namespace vecframe::exec
