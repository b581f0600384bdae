#include "exec/duplicates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <thread>

#include "colour_embedder.h"
#include "picture_files.h"
#include "pipeline_run.h"

namespace vecframe::exec {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Hash128 content(std::uint64_t number) { return {number * 0x9E3779B97F4A7C15u, number}; }

TEST(DuplicatesTest, TheFirstLeadsAndOthersFollow) {
  Duplicates duplicates(2, 10 * Duplicates::bytes_of_entry(2));
  std::vector<float> vector(2);
  EXPECT_EQ(duplicates.enter(content(1), 10, vector), Duplicates::Outcome::kFirst);
  EXPECT_EQ(duplicates.enter(content(1), 12, vector), Duplicates::Outcome::kFollows);
  EXPECT_EQ(duplicates.enter(content(2), 13, vector), Duplicates::Outcome::kFirst);
  EXPECT_EQ(duplicates.enter(content(1), 11, vector), Duplicates::Outcome::kFollows);
  const std::vector<float> made{3, 4};
  EXPECT_THAT(duplicates.finish(content(1), made), ElementsAre(12, 11));
  EXPECT_EQ(duplicates.enter(content(1), 14, vector), Duplicates::Outcome::kKnown);
  EXPECT_EQ(vector, made);
  EXPECT_THAT(duplicates.fail(content(2)), IsEmpty());
  EXPECT_EQ(duplicates.enter(content(2), 15, vector), Duplicates::Outcome::kFirst);
}

TEST(DuplicatesTest, KeepsTheVectorsUsedLast) {
  Duplicates duplicates(1, 3 * Duplicates::bytes_of_entry(1));
  std::vector<float> vector(1);
  const auto make = [&](std::uint64_t number) {
    EXPECT_EQ(duplicates.enter(content(number), 0, vector), Duplicates::Outcome::kFirst);
    const float made = static_cast<float>(number);
    duplicates.finish(content(number), {&made, 1});
  };
  for (const std::uint64_t number : {1, 2, 3}) make(number);
  EXPECT_EQ(duplicates.enter(content(1), 0, vector), Duplicates::Outcome::kKnown);
  make(4);  // in the place of 2
  EXPECT_EQ(duplicates.enter(content(1), 0, vector), Duplicates::Outcome::kKnown);
  EXPECT_EQ(vector[0], 1);
  EXPECT_EQ(duplicates.enter(content(3), 0, vector), Duplicates::Outcome::kKnown);
  EXPECT_EQ(duplicates.enter(content(2), 0, vector), Duplicates::Outcome::kFirst);
}

TEST(DuplicatesTest, OfNoRoomStillJoinsWhatIsUnderWay) {
  Duplicates duplicates(4, 0);
  std::vector<float> vector(4);
  EXPECT_EQ(duplicates.enter(content(1), 0, vector), Duplicates::Outcome::kFirst);
  EXPECT_EQ(duplicates.enter(content(1), 1, vector), Duplicates::Outcome::kFollows);
  EXPECT_THAT(duplicates.finish(content(1), vector), ElementsAre(1));
  EXPECT_EQ(duplicates.enter(content(1), 2, vector), Duplicates::Outcome::kFirst);
}

// Every row of `copies` is a file of its own with the bytes of picture row % kinds.
std::vector<std::string> write_copies(const TemporaryDirectory& directory, std::int64_t rows,
                                      std::int64_t kinds) {
  std::vector<std::string> paths;
  for (std::int64_t row = 0; row < rows; ++row)
    paths.push_back(
        write_picture(directory.file(std::to_string(10000 + row) + ".bmp"), row % kinds));
  return paths;
}

class PipelineCopiesTest : public testing::TestWithParam<int> {};

TEST_P(PipelineCopiesTest, AThousandFilesOfWhich900AreCopiesCostAHundredEmbeddings) {
  TemporaryDirectory directory;
  const auto paths = write_copies(directory, 1000, 100);
  VectorListing listing(paths);
  KeepingSink sink;
  std::atomic<std::int64_t> embedded{0};
  const EmbedStage stage =
      colour_stage([&](const std::uint8_t* pixels, std::int64_t count, float*) {
        embedded += count;
        std::this_thread::sleep_for(std::chrono::microseconds(pixels[0] % 50));
      });
  const Statistics statistics = run(listing, stage, sink, test_options(GetParam()), {});
  EXPECT_EQ(embedded, 100);
  EXPECT_EQ(statistics.duplicates, 900);
  EXPECT_EQ(statistics.rows_embedded, 100);
  EXPECT_EQ(statistics.rows_read, 1000);
  ASSERT_EQ(sink.rows.size(), 1000u);
  for (std::int64_t row = 0; row < 1000; ++row) {
    EXPECT_EQ(sink.rows[static_cast<std::size_t>(row)].path, paths[static_cast<std::size_t>(row)]);
    EXPECT_EQ(sink.rows[static_cast<std::size_t>(row)].embedding, expected_vector(row % 100));
    EXPECT_EQ(sink.rows[static_cast<std::size_t>(row)].width, 24u);
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, PipelineCopiesTest, testing::Values(1, 2, 4));

TEST(PipelineDuplicatesTest, CopiesShareAFailureToo) {
  TemporaryDirectory directory;
  auto paths = write_copies(directory, 60, 3);
  for (std::size_t row = 0; row < paths.size(); row += 2) {
    std::string bytes = bmp_bytes(24, 18, colour_of(7));
    bytes.resize(bytes.size() - 100);  // found out by the decoder
    write_bytes(paths[row], bytes);
  }
  VectorListing listing(paths);
  KeepingSink sink;
  // Rows of picture 1 are not numbers.
  const EmbedStage stage =
      colour_stage([&](const std::uint8_t* pixels, std::int64_t count, float* out) {
        for (std::int64_t i = 0; i < count; ++i)
          if (pixels[i * kSlotSide * kSlotSide * 3] == colour_of(1)[0])
            out[i * kColourDimension] = NAN;
      });
  const Statistics statistics = run(listing, stage, sink, test_options(3), {});
  ASSERT_EQ(sink.rows.size(), 60u);
  for (std::size_t row = 0; row < 60; ++row) {
    const std::string expected = row % 2 == 0   ? "decode/truncated"
                                 : row % 3 == 1 ? "embed/bad_output"
                                                : "";
    EXPECT_EQ(sink.rows[row].error, expected) << row;
  }
  EXPECT_EQ(statistics.failed, 40);
}

TEST(PipelineDuplicatesTest, EachIsEmbeddedIfThatIsWanted) {
  TemporaryDirectory directory;
  VectorListing listing(write_copies(directory, 30, 1));
  KeepingSink sink;
  PipelineOptions options = test_options();
  options.deduplicate = false;
  EXPECT_EQ(run(listing, colour_stage(), sink, options, {}).rows_embedded, 30);
}

class MapCache final : public VectorCache {
 public:
  bool find(const Hash128& key, std::span<float> vector) override {
    std::lock_guard lock(mutex_);
    const auto known = vectors_.find(key);
    if (known == vectors_.end()) return false;
    std::copy(known->second.begin(), known->second.end(), vector.begin());
    return true;
  }
  void store(const Hash128& key, std::span<const float> vector) override {
    std::lock_guard lock(mutex_);
    vectors_[key].assign(vector.begin(), vector.end());
  }
  std::size_t size() const { return vectors_.size(); }

 private:
  std::mutex mutex_;
  std::map<Hash128, std::vector<float>> vectors_;
};

TEST(PipelineDuplicatesTest, ACacheServesTheNextRun) {
  TemporaryDirectory directory;
  const auto paths = write_copies(directory, 40, 20);
  MapCache cache;
  PipelineOptions options = test_options();
  options.cache = &cache;
  for (int attempt = 0; attempt < 2; ++attempt) {
    VectorListing listing(paths);
    KeepingSink sink;
    options.vector.normalize = attempt == 1;  // of the same vectors
    const Statistics statistics = run(listing, colour_stage(), sink, options, {});
    EXPECT_EQ(statistics.rows_embedded, attempt == 0 ? 20 : 0);
    EXPECT_EQ(statistics.cache_hits, attempt == 0 ? 0 : 20);
    EXPECT_EQ(statistics.duplicates, 20);
    if (attempt == 1) continue;
    EXPECT_EQ(sink.rows[21].embedding, expected_vector(1));
  }
  EXPECT_EQ(cache.size(), 20u);
}

TEST(ErrorRateTest, ARunFailsOnceTooManyRowsHave) {
  TemporaryDirectory directory;
  const auto paths = write_copies(directory, 400, 400);
  for (std::size_t row = 0; row < 400; row += 10) write_bytes(paths[row], "no picture");
  PipelineOptions options = test_options();
  options.max_error_rate = 0.101;  // at row 100 there are 11 of 101
  VectorListing listing(paths);
  KeepingSink sink;
  EXPECT_THROW(run(listing, colour_stage(), sink, options, {}), RunError);
  EXPECT_EQ(sink.rows.size(), 101u);
  options.max_error_rate = 0.12;
  VectorListing again(paths);
  EXPECT_EQ(run(again, colour_stage(), sink, options, {}).failed, 40);
}

TEST(ErrorRateTest, OfFewRowsItIsLookedAtInTheEnd) {
  TemporaryDirectory directory;
  const auto paths = write_copies(directory, 10, 10);
  write_bytes(paths[0], "no picture");
  PipelineOptions options = test_options();
  options.max_error_rate = 0.05;
  VectorListing listing(paths);
  KeepingSink sink;
  EXPECT_THROW(run(listing, colour_stage(), sink, options, {}), RunError);
  EXPECT_EQ(sink.rows.size(), 10u);
  options.max_error_rate = 0.1;
  VectorListing again(paths);
  EXPECT_EQ(run(again, colour_stage(), sink, options, {}).failed, 1);
}

}  // namespace
}  // namespace vecframe::exec
