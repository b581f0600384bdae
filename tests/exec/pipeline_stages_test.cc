// The pipeline's stages: how many rows are in each, slow sources and sinks, order, memory.

#include <vecframe/error.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <new>
#include <set>
#include <thread>

#include "exec/pipeline.h"
#include "pipeline_run.h"

namespace vecframe::exec {
namespace {

using std::chrono::milliseconds;

void expect_every_row_once(const KeepingSink& sink, const std::vector<std::string>& paths) {
  ASSERT_EQ(sink.rows.size(), paths.size());
  std::set<std::string> seen;
  for (const KeptRow& row : sink.rows) {
    const auto at = std::find(paths.begin(), paths.end(), row.path) - paths.begin();
    EXPECT_EQ(row.error, "") << row.message;
    EXPECT_EQ(row.embedding, expected_vector(at));
    EXPECT_TRUE(seen.insert(row.path).second) << row.path;
  }
}

TEST(PipelineStagesTest, SoManyEmbedAtATime) {
  TemporaryDirectory directory;
  const auto paths = write_pictures(directory, 120);
  for (const Stages stages :
       {Stages{{}, 4, 1}, Stages{8, 1, 3}, Stages{1, 1, 1}, Stages{{}, {}, 2}}) {
    std::atomic<int> embedding = 0, most = 0;
    const EmbedStage stage = colour_stage([&](const std::uint8_t*, std::int64_t, float*) {
      const int now = ++embedding;
      most = std::max<int>(most, now);
      std::this_thread::sleep_for(std::chrono::microseconds(300));
      --embedding;
    });
    VectorListing listing(paths);
    KeepingSink sink;
    PipelineOptions options = test_options(/*threads=*/4, /*batch_size=*/3);
    options.stages = stages;
    const Statistics statistics = run(listing, stage, sink, options, {});
    expect_every_row_once(sink, paths);
    EXPECT_LE(most, *stages.embed);
    EXPECT_EQ(statistics.concurrency.lanes, *stages.embed);
    EXPECT_EQ(statistics.concurrency.decoders, stages.decode.value_or(4));
    EXPECT_EQ(statistics.concurrency.readers, stages.download.value_or(4));
    EXPECT_LE(statistics.peak_budget_bytes, options.memory_limit);
  }
}

TEST(PipelineStagesTest, AStageOutOfRangeIsAWrongRequest) {
  VectorListing listing({});
  KeepingSink sink;
  PipelineOptions options = test_options();
  options.stages.decode = 2000;
  EXPECT_THROW(run(listing, colour_stage(), sink, options, {}), RequestError);
}

// The first row is embedded only after all others have left, many times what the window holds.
TEST(PipelineStagesTest, WithoutOrderASlowRowHoldsNobodyUp) {
  TemporaryDirectory directory;
  const auto paths = write_pictures(directory, 300);
  std::atomic<bool> others_left = false;
  const std::vector<float> first = expected_vector(0);
  const EmbedStage stage = colour_stage([&](const std::uint8_t*, std::int64_t, float* out) {
    if (!std::equal(first.begin(), first.end(), out)) return;
    while (!others_left) std::this_thread::sleep_for(milliseconds(1));
  });
  VectorListing listing(paths);
  KeepingSink sink;
  sink.hook = [&](const Row&) { others_left = sink.rows.size() + 2 >= paths.size(); };
  PipelineOptions options = test_options(/*threads=*/2, /*batch_size=*/1);
  options.ordered = false;
  run(listing, stage, sink, options, {});
  expect_every_row_once(sink, paths);
  EXPECT_EQ(sink.rows.back().path, paths[0]);
}

TEST(PipelineStagesTest, WithoutOrderALimitIsStillTheFirstRows) {
  TemporaryDirectory directory;
  auto paths = write_pictures(directory, 60);
  VectorListing listing(paths);
  KeepingSink sink;
  PipelineOptions options = test_options(4, 2);
  options.ordered = false;
  options.limit = 25;
  run(listing, colour_stage(), sink, options, {});
  paths.resize(25);
  expect_every_row_once(sink, paths);
}

// Gives a path only when all rows before it have left at the other end.
class WaitingListing final : public storage::Listing {
 public:
  WaitingListing(std::vector<std::string> paths, const std::atomic<std::size_t>& left)
      : paths_(std::move(paths)), left_(left) {}
  std::optional<std::string> next() override {
    while (left_ < next_) std::this_thread::sleep_for(milliseconds(1));
    if (next_ == paths_.size()) return std::nullopt;
    return paths_[next_++];
  }

 private:
  const std::vector<std::string> paths_;
  const std::atomic<std::size_t>& left_;
  std::size_t next_ = 0;
};

TEST(PipelineStagesTest, AnIncompleteBatchLeavesWhenNothingElseComes) {
  TemporaryDirectory directory;
  const auto paths = write_pictures(directory, 5);
  for (const Stages stages : {Stages{}, Stages{1, 1, 1}}) {
    std::atomic<std::size_t> left = 0;
    WaitingListing listing(paths, left);
    KeepingSink sink;
    sink.hook = [&](const Row&) { ++left; };
    PipelineOptions options = test_options(2, 8);
    options.stages = stages;
    run(listing, colour_stage(), sink, options, {});
    expect_every_row_once(sink, paths);
  }
}

// A row is large against the whole budget: few are in flight while the sink is busy.
TEST(PipelineStagesTest, ASlowSinkHoldsBackTheSource) {
  TemporaryDirectory directory;
  const auto paths = write_pictures(directory, 100);
  for (const bool ordered : {true, false}) {
    std::atomic<std::int64_t> embedded = 0;
    VectorListing listing(paths);
    KeepingSink sink;
    sink.hook = [&](const Row&) {
      std::this_thread::sleep_for(milliseconds(1));
      // The window: four batches for each of two lanes.
      EXPECT_LE(embedded - static_cast<std::int64_t>(sink.rows.size()), 4 * 2 * 2);
    };
    PipelineOptions options = test_options(/*threads=*/2, /*batch_size=*/2);
    options.memory_limit = 8 << 20;
    options.ordered = ordered;
    const EmbedStage stage =
        colour_stage([&](const std::uint8_t*, std::int64_t rows, float*) { embedded += rows; });
    const Statistics statistics = run(listing, stage, sink, options, {});
    expect_every_row_once(sink, paths);
    EXPECT_LE(statistics.peak_budget_bytes, options.memory_limit);
    EXPECT_GT(statistics.write_seconds, 0);
  }
}

TEST(PipelineStagesTest, BatchesAreHalvedWhereThereIsNoMemory) {
  TemporaryDirectory directory;
  const auto paths = write_pictures(directory, 64);
  VectorListing listing(paths);
  KeepingSink sink;
  const EmbedStage stage = colour_stage([](const std::uint8_t*, std::int64_t rows, float*) {
    if (rows > 3) throw std::bad_alloc();
  });
  const Statistics statistics = run(listing, stage, sink, test_options(2, 12), {});
  expect_every_row_once(sink, paths);
  EXPECT_EQ(statistics.batch_size, 3);
  EXPECT_GE(statistics.memory_failures, 1);
  EXPECT_GE(statistics.retries, 1);
}

TEST(PipelineStagesTest, ARowWithoutMemoryOfItsOwnFailsAlone) {
  TemporaryDirectory directory;
  const auto paths = write_pictures(directory, 30);
  VectorListing listing(paths);
  KeepingSink sink;
  const std::vector<float> large = expected_vector(11);
  const EmbedStage stage = colour_stage([&](const std::uint8_t*, std::int64_t rows, float* out) {
    for (std::int64_t i = 0; i < rows; ++i)
      if (std::equal(large.begin(), large.end(), out + i * kColourDimension))
        throw std::bad_alloc();
  });
  run(listing, stage, sink, test_options(2, 4), {});
  ASSERT_EQ(sink.rows.size(), paths.size());
  for (std::size_t row = 0; row < paths.size(); ++row)
    EXPECT_EQ(sink.rows[row].error, row == 11 ? "embed/over_budget" : "");
}

// Vectors are the same whichever sizes are tried, and the report says which one stayed.
TEST(PipelineStagesTest, ABatchSizeOfItsOwnChoice) {
  TemporaryDirectory directory;
  const auto paths = write_pictures(directory, 400);
  VectorListing listing(paths);
  KeepingSink sink;
  const EmbedStage stage = colour_stage();
  const Statistics statistics = run(listing, stage, sink, test_options(2, 0), {});
  expect_every_row_once(sink, paths);
  EXPECT_EQ(dynamic_cast<const ColourEmbedder&>(*stage.embedder).largest_batch(), 16);
  EXPECT_THAT(statistics.batch_size, testing::AnyOf(1, 2, 4, 8, 16));
}

}  // namespace
}  // namespace vecframe::exec
