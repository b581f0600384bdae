// A job with one Parquet file as its output.

#include <vecframe/error.h>

#include "job/embed_job.h"
#include "parquet_rows.h"

namespace vecframe::job {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(FileOutputTest, HoldsEveryRowInOrder) {
  TemporaryDirectory directory;
  const std::vector<std::int64_t> bad{0, 700, 1499};
  const auto paths = write_inputs(directory.file("in"), 1500, bad);
  EmbedJob job = colour_job({directory.file("in")}, directory.file("out.parquet"));
  job.pipeline.memory_limit = 6 << 20;  // batches of 64 KiB
  const Report report = run(job, tables(), {});

  const ParquetRows output = read_parquet(job.output);
  ASSERT_EQ(output.rows.size(), 1500u);
  expect_rows(output.rows, paths, bad);
  EXPECT_EQ(report.statistics.rows, 1500);
  EXPECT_EQ(report.statistics.failures.at("decode/unknown_format"), 3);
  EXPECT_THAT(report.parts, ElementsAre(job.output));
  EXPECT_GT(report.peak_memory_bytes, 0);
  EXPECT_THAT(names_in(directory.path()), ElementsAre("in", "out.parquet"));

  const auto& metadata = output.metadata;
  EXPECT_EQ(metadata.at("vecframe.model"), "colours");
  EXPECT_EQ(metadata.at("vecframe.provider"), "test");
  EXPECT_EQ(metadata.at("vecframe.model_fingerprint"), "0123456789abcdef");
  EXPECT_EQ(metadata.at("vecframe.processor_fingerprint"), "fedcba9876543210");
  EXPECT_EQ(metadata.at("vecframe.precision"), "fp32");
  EXPECT_EQ(metadata.at("vecframe.normalize"), "false");
  EXPECT_EQ(metadata.at("vecframe.dimension"), "12");
  EXPECT_EQ(metadata.at("vecframe.orientation"), "apply");
  EXPECT_EQ(footer_value(job.output, "vecframe.rows"), "1500");
  EXPECT_EQ(footer_value(job.output, "vecframe.failed"), "3");
  EXPECT_EQ(metadata.at("vecframe.version"), report.library_version);
}

TEST(FileOutputTest, AnEmptyDirectoryMakesAFileOfNoRows) {
  TemporaryDirectory directory;
  write_inputs(directory.file("in"), 0);
  const EmbedJob job = colour_job({directory.file("in")}, directory.file("out.parquet"));
  EXPECT_EQ(run(job, tables(), {}).statistics.rows, 0);
  const ParquetRows output = read_parquet(job.output);
  EXPECT_THAT(output.rows, IsEmpty());
  EXPECT_EQ(footer_value(job.output, "vecframe.rows"), "0");
}

TEST(FileOutputTest, FailureLeavesNothing) {
  TemporaryDirectory directory;
  write_inputs(directory.file("in"), 50, {30});
  EmbedJob job = colour_job({directory.file("in")}, directory.file("out.parquet"));
  job.pipeline.on_error = exec::OnError::kRaise;
  try {
    run(job, tables(), {});
    FAIL() << "no exception";
  } catch (const RunError& error) {
    EXPECT_THAT(error.what(), HasSubstr("100030.bmp: decode/unknown_format"));
  }
  EXPECT_THAT(names_in(directory.path()), ElementsAre("in"));

  CancellationToken cancellation;
  cancellation.cancel();
  job.pipeline.on_error = exec::OnError::kIgnore;
  EXPECT_THROW(run(job, tables(), cancellation), Cancelled);
  EXPECT_THAT(names_in(directory.path()), ElementsAre("in"));

  job.inputs = {directory.file("nothing-here")};
  EXPECT_THROW(run(job, tables(), {}), RequestError);
  EXPECT_THAT(names_in(directory.path()), ElementsAre("in"));
}

TEST(FileOutputTest, ReplacesAFileOnlyIfToldTo) {
  TemporaryDirectory directory;
  write_inputs(directory.file("in"), 5);
  EmbedJob job = colour_job({directory.file("in")}, directory.file("out.parquet"));
  run(job, tables(), {});
  const std::string before = content_of(job.output);
  write_inputs(directory.file("in"), 9);
  try {
    run(job, tables(), {});
    FAIL() << "no exception";
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("--overwrite"));
  }
  EXPECT_EQ(content_of(job.output), before);

  job.writing.mode = WriteMode::kOverwrite;
  job.pipeline.on_error = exec::OnError::kRaise;
  write_inputs(directory.file("in"), 9, {8});
  EXPECT_THROW(run(job, tables(), {}), RunError);
  EXPECT_EQ(content_of(job.output), before);

  write_inputs(directory.file("in"), 9);
  run(job, tables(), {});
  EXPECT_EQ(read_parquet(job.output).rows.size(), 9u);
}

}  // namespace
}  // namespace vecframe::job
