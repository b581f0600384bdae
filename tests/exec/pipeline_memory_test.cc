// The byte budget: no mix of sizes stops a run or exceeds it.

#include <vecframe/error.h>

#include <random>

#include "exec/memory_plan.h"
#include "exec/pipeline.h"
#include "pipeline_run.h"

namespace vecframe::exec {
namespace {

using testing::HasSubstr;

TEST(PipelineMemoryTest, RandomSizesUnderTinyBudgets) {
  TemporaryDirectory directory;
  std::mt19937 random(7);
  std::vector<std::string> paths;
  std::vector<std::uint32_t> sides;
  for (std::int64_t row = 0; row < 120; ++row) {
    // Mostly small, some that must go alone, a few that cannot fit.
    const std::uint32_t kind = random() % 20;
    const std::uint32_t side = kind == 0  ? 1200
                               : kind < 4 ? 350 + random() % 150
                                          : 8 + random() % 120;
    paths.push_back(
        write_picture(directory.file(std::to_string(1000 + row) + ".bmp"), row, side, side));
    sides.push_back(side);
  }
  for (const int threads : {1, 2, 5}) {
    for (const std::int64_t batch_size : {1, 4}) {
      PipelineOptions options = test_options(threads, batch_size);
      const EmbedStage stage = colour_stage();
      options.memory_limit = minimum_memory(stage, 0) + (512 << 10) + threads * batch_size * 8192;
      VectorListing listing(paths);
      KeepingSink sink;
      const Statistics statistics = run(listing, stage, sink, options, {});
      ASSERT_EQ(sink.rows.size(), paths.size());
      EXPECT_LE(statistics.peak_budget_bytes, options.memory_limit);
      for (std::size_t row = 0; row < paths.size(); ++row) {
        if (sides[row] == 1200) {  // 4.3 MB
          EXPECT_EQ(sink.rows[row].error, "read/over_budget");
        } else if (sink.rows[row].error.empty()) {
          EXPECT_EQ(sink.rows[row].embedding, expected_vector(static_cast<std::int64_t>(row)));
        } else {
          EXPECT_EQ(sink.rows[row].error, "decode/over_budget");
          EXPECT_GE(sides[row], 350u);
        }
        if (sides[row] <= 400) {
          EXPECT_EQ(sink.rows[row].error, "") << sink.rows[row].message;
        }
      }
    }
  }
}

// A file that needs nearly all the room goes through, alone, between small ones; several in a row
// do not wait for each other.
TEST(PipelineMemoryTest, HugePicturesGoAlone) {
  TemporaryDirectory directory;
  auto paths = write_pictures(directory, 40);
  for (const std::size_t row : {3u, 4u, 5u, 20u, 39u}) {
    write_picture(paths[row], static_cast<std::int64_t>(row), 1500, 1500);  // 6.4 MiB, 13 in all
  }
  for (const int threads : {1, 4}) {
    PipelineOptions options = test_options(threads, 4);
    options.memory_limit = 16 << 20;
    VectorListing listing(paths);
    KeepingSink sink;
    const Statistics statistics = run(listing, colour_stage(), sink, options, {});
    ASSERT_EQ(sink.rows.size(), 40u);
    for (std::size_t row = 0; row < 40; ++row) {
      EXPECT_EQ(sink.rows[row].error, "") << sink.rows[row].message;
      EXPECT_EQ(sink.rows[row].embedding, expected_vector(static_cast<std::int64_t>(row)));
    }
    EXPECT_LE(statistics.peak_budget_bytes, options.memory_limit);
    EXPECT_GT(statistics.peak_budget_bytes, 12 << 20);
  }
}

TEST(PipelineMemoryTest, RunsWithTheStatedMinimum) {
  TemporaryDirectory directory;
  const EmbedStage stage = colour_stage();
  KeepingSink sink;
  sink.bytes = 100000;
  PipelineOptions options = test_options(1);
  options.memory_limit = minimum_memory(stage, sink.bytes);
  VectorListing listing(write_pictures(directory, 30));
  const Statistics statistics = run(listing, stage, sink, options, {});
  EXPECT_EQ(statistics.failed, 0);
  EXPECT_EQ(statistics.batch_size, 1);

  --options.memory_limit;
  VectorListing again({});
  try {
    run(again, stage, sink, options, {});
    FAIL() << "no exception";
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("memory_limit=" + std::to_string(options.memory_limit)));
    EXPECT_THAT(error.what(), HasSubstr(std::to_string(options.memory_limit + 1)));
  }
}

TEST(PipelineMemoryTest, RefusesABatchThatDoesNotFit) {
  const EmbedStage stage = colour_stage();
  KeepingSink sink;
  PipelineOptions options = test_options(2, 1000000);
  VectorListing listing({});
  EXPECT_THROW(run(listing, stage, sink, options, {}), RequestError);
}

TEST(PipelineMemoryTest, RefusesNegativeOptions) {
  const EmbedStage stage = colour_stage();
  KeepingSink sink;
  VectorListing listing({});
  PipelineOptions options = test_options();
  options.threads = -1;
  EXPECT_THROW(run(listing, stage, sink, options, {}), RequestError);
  options = test_options();
  options.batch_size = -1;
  EXPECT_THROW(run(listing, stage, sink, options, {}), RequestError);
  options = test_options();
  options.limit = -1;
  EXPECT_THROW(run(listing, stage, sink, options, {}), RequestError);
  options = test_options();
  options.memory_limit = -5;
  EXPECT_THROW(run(listing, stage, sink, options, {}), RequestError);
}

}  // namespace
}  // namespace vecframe::exec
