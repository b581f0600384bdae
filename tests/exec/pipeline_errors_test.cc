// Rows that fail, each by a real file, and what on_error makes of them.

#include <sys/stat.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include "exec/pipeline.h"
#include "pipeline_run.h"

namespace vecframe::exec {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// `bad` between good pictures, in batches of 4. Returns the error; the others must be untouched.
KeptRow run_among_good(const std::string& bad, EmbedStage stage, PipelineOptions options) {
  TemporaryDirectory directory;
  auto paths = write_pictures(directory, 9);
  paths.insert(paths.begin() + 5, bad);
  VectorListing listing(paths);
  KeepingSink sink;
  options.batch_size = 4;
  const Statistics statistics = run(listing, stage, sink, options, {});
  EXPECT_THAT(sink.rows, SizeIs(10));
  for (std::size_t i = 0; i < sink.rows.size(); ++i) {
    EXPECT_EQ(sink.rows[i].path, paths[i]);
    if (i == 5) continue;
    const std::int64_t row = static_cast<std::int64_t>(i > 5 ? i - 1 : i);
    EXPECT_EQ(sink.rows[i].error, "");
    EXPECT_EQ(sink.rows[i].embedding, expected_vector(row)) << "row " << i;
  }
  EXPECT_EQ(statistics.failed, 1);
  EXPECT_EQ(statistics.failures, (std::map<std::string, std::int64_t>{{sink.rows[5].error, 1}}));
  EXPECT_THAT(sink.rows[5].embedding, IsEmpty());
  return sink.rows[5];
}

KeptRow run_among_good(const std::string& bad) {
  return run_among_good(bad, colour_stage(), test_options());
}

TEST(PipelineErrorsTest, MissingFile) {
  EXPECT_EQ(run_among_good("/nonexistent/a.jpg").error, "read/not_found");
}

TEST(PipelineErrorsTest, DirectoryInPlaceOfFile) {
  TemporaryDirectory directory;
  EXPECT_EQ(run_among_good(directory.path()).error, "read/io_error");
}

TEST(PipelineErrorsTest, ForbiddenFile) {
  if (geteuid() == 0) GTEST_SKIP() << "root may read every file";
  TemporaryDirectory directory;
  write_picture(directory.file("a.bmp"), 0);
  chmod(directory.file("a.bmp").c_str(), 0);
  EXPECT_EQ(run_among_good(directory.file("a.bmp")).error, "read/permission_denied");
}

TEST(PipelineErrorsTest, EmptyFile) {
  TemporaryDirectory directory;
  write_bytes(directory.file("a.jpg"), "");
  EXPECT_EQ(run_among_good(directory.file("a.jpg")).error, "decode/empty");
}

TEST(PipelineErrorsTest, NoPicture) {
  TemporaryDirectory directory;
  write_bytes(directory.file("a.jpg"), std::string(500, 'x'));
  const KeptRow row = run_among_good(directory.file("a.jpg"));
  EXPECT_EQ(row.error, "decode/unknown_format");
  EXPECT_EQ(row.width, 0u);
  EXPECT_EQ(row.format, std::nullopt);
}

TEST(PipelineErrorsTest, TruncatedPicture) {
  TemporaryDirectory directory;
  const std::string whole = bmp_bytes(40, 30, {1, 2, 3});
  write_bytes(directory.file("a.bmp"), whole.substr(0, whole.size() / 2));
  const KeptRow row = run_among_good(directory.file("a.bmp"));
  EXPECT_EQ(row.error, "decode/truncated");
}

TEST(PipelineErrorsTest, TooManyPixels) {
  TemporaryDirectory directory;
  write_picture(directory.file("a.bmp"), 0, 100, 100);
  PipelineOptions options = test_options();
  options.decode_limits.max_pixels = 9999;
  EXPECT_EQ(run_among_good(directory.file("a.bmp"), colour_stage(), options).error,
            "decode/too_many_pixels");
}

TEST(PipelineErrorsTest, FileLargerThanTheBudget) {
  TemporaryDirectory directory;
  write_bytes(directory.file("a.bmp"), bmp_bytes(8, 8, {1, 2, 3}));
  std::filesystem::resize_file(directory.file("a.bmp"), 40 << 20);
  const KeptRow row = run_among_good(directory.file("a.bmp"));
  EXPECT_EQ(row.error, "read/over_budget");
  EXPECT_THAT(row.message, HasSubstr(std::to_string(40 << 20)));
}

TEST(PipelineErrorsTest, PictureLargerThanTheBudget) {
  TemporaryDirectory directory;
  write_picture(directory.file("a.bmp"), 0, 2400, 2400);  // 17 MB, twice
  const KeptRow row = run_among_good(directory.file("a.bmp"));
  EXPECT_EQ(row.error, "decode/over_budget");
  EXPECT_EQ(row.width, 2400u);
  EXPECT_EQ(row.format, image::Format::kBmp);
}

TEST(PipelineErrorsTest, PictureThatCannotBePrepared) {
  TemporaryDirectory directory;
  write_picture(directory.file("a.bmp"), 0, 3000, 1);
  EmbedStage stage = colour_stage();
  stage.prepare.resize = image::ResizeRule::kCentreSquare;
  stage.prepare.square_fraction = 0.9;  // of a side of 1: nothing
  EXPECT_EQ(run_among_good(directory.file("a.bmp"), stage, test_options()).error,
            "prepare/unsupported");
}

// The hook knows the bad row by its colour.
bool is_colour(const float* vector, Colour colour) {
  return vector[0] == colour[0] && vector[1] == colour[1] && vector[2] == colour[2];
}

TEST(PipelineErrorsTest, VectorWithNaN) {
  TemporaryDirectory directory;
  write_picture(directory.file("a.bmp"), 777);
  for (const float value :
       {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    const auto spoil = [value](const std::uint8_t*, std::int64_t count, float* out) {
      for (std::int64_t i = 0; i < count; ++i) {
        float* vector = out + i * kColourDimension;
        if (is_colour(vector, colour_of(777))) vector[7] = value;
      }
    };
    const KeptRow row =
        run_among_good(directory.file("a.bmp"), colour_stage(spoil), test_options());
    EXPECT_EQ(row.error, "embed/bad_output");
    EXPECT_EQ(row.width, 24u);
  }
}

TEST(PipelineErrorsTest, EmbedderThatThrowsForOneRow) {
  TemporaryDirectory directory;
  write_picture(directory.file("a.bmp"), 777);
  const auto refuse = [](const std::uint8_t*, std::int64_t count, float* out) {
    for (std::int64_t i = 0; i < count; ++i) {
      if (is_colour(out + i * kColourDimension, colour_of(777))) {
        throw std::runtime_error("I do not like this picture");
      }
    }
  };
  const KeptRow row = run_among_good(directory.file("a.bmp"), colour_stage(refuse), test_options());
  EXPECT_EQ(row.error, "embed/embedder_failed");
  EXPECT_EQ(row.message, "I do not like this picture");
}

// ---- on_error ----

std::vector<std::string> with_bad_rows(const TemporaryDirectory& directory, std::int64_t count,
                                       const std::vector<std::size_t>& bad) {
  auto paths = write_pictures(directory, count);
  for (const std::size_t row : bad) write_bytes(paths[row], "no picture, number " + paths[row]);
  return paths;
}

TEST(PipelineErrorsTest, RaiseNamesTheFirstBadRowOfTheInput) {
  TemporaryDirectory directory;
  const auto paths = with_bad_rows(directory, 60, {17, 18, 40});
  for (int attempt = 0; attempt < 10; ++attempt) {
    VectorListing listing(paths);
    KeepingSink sink;
    PipelineOptions options = test_options(4, 8);
    options.on_error = OnError::kRaise;
    try {
      run(listing, colour_stage(), sink, options, {});
      FAIL() << "no exception";
    } catch (const RunError& error) {
      EXPECT_THAT(error.what(), HasSubstr(paths[17] + ": decode/unknown_format"));
    }
    EXPECT_THAT(sink.rows, SizeIs(17));
  }
}

TEST(PipelineErrorsTest, RaiseIsQuietWhenAllIsWell) {
  TemporaryDirectory directory;
  VectorListing listing(write_pictures(directory, 10));
  KeepingSink sink;
  PipelineOptions options = test_options();
  options.on_error = OnError::kRaise;
  EXPECT_EQ(run(listing, colour_stage(), sink, options, {}).rows, 10);
}

TEST(PipelineErrorsTest, LogCallsBackInOrderAndIgnoreDoesNot) {
  TemporaryDirectory directory;
  const auto paths = with_bad_rows(directory, 40, {0, 7, 39});
  for (const OnError on_error : {OnError::kLog, OnError::kIgnore}) {
    VectorListing listing(paths);
    KeepingSink sink;
    PipelineOptions options = test_options();
    options.on_error = on_error;
    std::vector<std::string> failed;
    const Statistics statistics = run(listing, colour_stage(), sink, options, {}, {},
                                      [&](const Row& row) { failed.push_back(row.path); });
    EXPECT_EQ(statistics.rows, 40);
    EXPECT_EQ(statistics.failed, 3);
    EXPECT_EQ(statistics.failures.at("decode/unknown_format"), 3);
    if (on_error == OnError::kLog) {
      EXPECT_THAT(failed, ElementsAre(paths[0], paths[7], paths[39]));
    } else {
      EXPECT_THAT(failed, IsEmpty());
    }
  }
}

TEST(PipelineErrorsTest, AllRowsMayFail) {
  VectorListing listing(std::vector<std::string>(50, "/nonexistent/a.jpg"));
  KeepingSink sink;
  const Statistics statistics = run(listing, colour_stage(), sink, test_options(), {});
  EXPECT_EQ(statistics.failed, 50);
  EXPECT_EQ(statistics.batches, 0);
}

}  // namespace
}  // namespace vecframe::exec
