#include "exec/pipeline.h"

#include <chrono>
#include <cmath>
#include <random>
#include <thread>

#include "pipeline_run.h"

namespace vecframe::exec {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

struct Shape {
  int threads;
  std::int64_t batch_size;
  std::int64_t rows;
};

class PipelineShapeTest : public testing::TestWithParam<Shape> {};

void sleep_randomly(std::uint32_t seed) {
  thread_local std::mt19937 random(seed);
  std::this_thread::sleep_for(std::chrono::microseconds(random() % 1500));
}

TEST_P(PipelineShapeTest, KeepsOrderAndVectorsOfRows) {
  const Shape shape = GetParam();
  TemporaryDirectory directory;
  const auto paths = write_pictures(directory, shape.rows);
  VectorListing listing(paths);
  KeepingSink sink;
  const EmbedStage stage = colour_stage(
      [](const std::uint8_t* pixels, std::int64_t, float*) { sleep_randomly(pixels[0]); });
  const Statistics statistics =
      run(listing, stage, sink, test_options(shape.threads, shape.batch_size), {});

  ASSERT_THAT(sink.rows, SizeIs(static_cast<std::size_t>(shape.rows)));
  for (std::int64_t row = 0; row < shape.rows; ++row) {
    const KeptRow& kept = sink.rows[static_cast<std::size_t>(row)];
    EXPECT_EQ(kept.path, paths[static_cast<std::size_t>(row)]);
    EXPECT_EQ(kept.error, "");
    EXPECT_EQ(kept.embedding, expected_vector(row)) << "row " << row;
    EXPECT_EQ(kept.width, static_cast<std::uint32_t>(9 + row * 7 % 40));
    EXPECT_EQ(kept.height, static_cast<std::uint32_t>(8 + row * 5 % 30));
    EXPECT_EQ(kept.format, image::Format::kBmp);
  }
  EXPECT_EQ(statistics.rows, shape.rows);
  EXPECT_EQ(statistics.failed, 0);
  EXPECT_EQ(statistics.listed, shape.rows);
  EXPECT_TRUE(statistics.listing_done);
  EXPECT_EQ(statistics.threads, shape.threads);
  EXPECT_EQ(statistics.batch_size, shape.batch_size);
  EXPECT_LE(statistics.peak_budget_bytes, statistics.budget_bytes);
  const auto& embedder = dynamic_cast<const ColourEmbedder&>(*stage.embedder);
  EXPECT_LE(embedder.largest_batch(), shape.batch_size);
}

INSTANTIATE_TEST_SUITE_P(Shapes, PipelineShapeTest,
                         testing::Values(Shape{1, 1, 0}, Shape{3, 4, 0}, Shape{1, 1, 1},
                                         Shape{4, 16, 1}, Shape{1, 4, 3}, Shape{1, 4, 4},
                                         Shape{1, 4, 5}, Shape{3, 4, 11}, Shape{3, 4, 12},
                                         Shape{3, 4, 13}, Shape{2, 16, 31}, Shape{2, 16, 33},
                                         Shape{5, 3, 400}, Shape{8, 1, 100}, Shape{3, 64, 50}));

TEST(PipelineTest, FillsBatchesWhenInputIsAhead) {
  TemporaryDirectory directory;
  VectorListing listing(write_pictures(directory, 64));
  KeepingSink sink;
  const EmbedStage stage = colour_stage();
  run(listing, stage, sink, test_options(1, 8), {});
  EXPECT_EQ(dynamic_cast<const ColourEmbedder&>(*stage.embedder).largest_batch(), 8);
}

TEST(PipelineTest, StopsAtLimit) {
  TemporaryDirectory directory;
  const auto paths = write_pictures(directory, 20);
  for (const std::int64_t limit : {0, 1, 7, 20, 50}) {
    VectorListing listing(paths);
    KeepingSink sink;
    PipelineOptions options = test_options();
    options.limit = limit;
    const Statistics statistics = run(listing, colour_stage(), sink, options, {});
    EXPECT_EQ(statistics.rows, std::min<std::int64_t>(limit, 20));
    EXPECT_THAT(sink.rows, SizeIs(static_cast<std::size_t>(statistics.rows)));
  }
}

TEST(PipelineTest, NormalizesVectors) {
  TemporaryDirectory directory;
  auto paths = write_pictures(directory, 5);
  write_bytes(directory.file("black.bmp"), bmp_bytes(9, 9, {0, 0, 0}));
  paths.push_back(directory.file("black.bmp"));
  VectorListing listing(paths);
  KeepingSink sink;
  PipelineOptions options = test_options();
  options.vector.normalize = true;
  run(listing, colour_stage(), sink, options, {});
  ASSERT_THAT(sink.rows, SizeIs(6));
  for (std::int64_t row = 0; row < 5; ++row) {
    const auto expected = expected_vector(row);
    double norm = 0;
    for (const float value : expected) norm += double{value} * value;
    norm = std::sqrt(norm);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      EXPECT_FLOAT_EQ(sink.rows[static_cast<std::size_t>(row)].embedding[i],
                      static_cast<float>(expected[i] / norm));
    }
  }
  EXPECT_EQ(sink.rows[5].embedding, std::vector<float>(kColourDimension, 0.0f));
}

TEST(PipelineTest, ReportsProgressThatOnlyGrows) {
  TemporaryDirectory directory;
  VectorListing listing(write_pictures(directory, 60));
  KeepingSink sink;
  const auto caller = std::this_thread::get_id();
  sink.hook = [](const Row&) { std::this_thread::sleep_for(std::chrono::milliseconds(5)); };
  std::vector<Statistics> seen;
  const Statistics last =
      run(listing, colour_stage(), sink, test_options(), {}, [&](const Statistics& statistics) {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        seen.push_back(statistics);
      });
  ASSERT_GE(seen.size(), 2u);
  for (std::size_t i = 1; i < seen.size(); ++i) {
    EXPECT_GE(seen[i].rows, seen[i - 1].rows);
    EXPECT_GE(seen[i].listed, seen[i - 1].listed);
    EXPECT_GE(seen[i].bytes_read, seen[i - 1].bytes_read);
    EXPECT_GT(seen[i].seconds, seen[i - 1].seconds);
  }
  EXPECT_EQ(seen.back().rows, 60);
  EXPECT_EQ(last.rows, 60);
  EXPECT_GT(last.batches, 0);
  EXPECT_GT(last.read_seconds, 0);
  EXPECT_GT(last.prepare_seconds, 0);
  EXPECT_GT(last.embed_seconds, 0);
  EXPECT_GT(last.write_seconds, 0);
}

TEST(PipelineTest, LooksOnlyAtHeadersWithoutAModel) {
  TemporaryDirectory directory;
  auto paths = write_pictures(directory, 12);
  write_bytes(directory.file("text.jpg"), "this is text, and no picture");
  paths.push_back(directory.file("text.jpg"));
  VectorListing listing(paths);
  KeepingSink sink;
  const Statistics statistics = run(listing, std::nullopt, sink, test_options(), {});
  ASSERT_THAT(sink.rows, SizeIs(13));
  for (std::size_t row = 0; row < 12; ++row) {
    EXPECT_EQ(sink.rows[row].path, paths[row]);
    EXPECT_EQ(sink.rows[row].width, 9 + row * 7 % 40);
    EXPECT_EQ(sink.rows[row].format, image::Format::kBmp);
    EXPECT_THAT(sink.rows[row].embedding, IsEmpty());
  }
  EXPECT_EQ(sink.rows[12].error, "decode/unknown_format");
  EXPECT_EQ(statistics.batches, 0);
}

TEST(PipelineTest, UsesAllProcessorsByDefault) {
  VectorListing listing({});
  KeepingSink sink;
  const Statistics statistics = run(listing, colour_stage(), sink, test_options(0), {});
  EXPECT_GE(statistics.threads, 1);
}

}  // namespace
}  // namespace vecframe::exec
