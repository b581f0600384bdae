// A job with a directory of parts as its output.

#include <vecframe/error.h>

#include <nlohmann/json.hpp>

#include "job/directory_lock.h"
#include "job/embed_job.h"
#include "job/output_path.h"
#include "parquet_rows.h"

namespace vecframe::job {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

EmbedJob parts_job(const TemporaryDirectory& directory) {
  EmbedJob job = colour_job({directory.file("in")}, directory.file("out"));
  job.writing.rows_per_part = 10;
  return job;
}

TEST(DirectoryOutputTest, HoldsPartsManifestAndReport) {
  TemporaryDirectory directory;
  const auto paths = write_inputs(directory.file("in"), 25, {3, 24});
  const EmbedJob job = parts_job(directory);
  const Report report = run(job, tables(), {});
  EXPECT_THAT(names_in(job.output),
              ElementsAre("_manifest.json", "_report.json", "part-00000.parquet",
                          "part-00001.parquet", "part-00002.parquet"));
  ASSERT_EQ(report.parts.size(), 3u);
  for (std::size_t part = 0; part < 3; ++part) {
    const ParquetRows output = read_parquet(report.parts[part]);
    EXPECT_EQ(output.rows.size(), part == 2 ? 5u : 10u);
    expect_rows(output.rows, paths, {3, 24}, static_cast<std::int64_t>(part) * 10);
    EXPECT_EQ(footer_value(report.parts[part], "vecframe.failed"), part == 1 ? "0" : "1");
  }
  const auto manifest = nlohmann::json::parse(content_of(job.output + "/_manifest.json"));
  EXPECT_EQ(manifest["parts"].size(), 3u);
  EXPECT_EQ(manifest["parts"][2]["file"], "part-00002.parquet");
  EXPECT_EQ(manifest["parts"][2]["rows"], 5);
  EXPECT_EQ(manifest["parts"][2]["failed"], 1);
  EXPECT_EQ(manifest["metadata"]["vecframe.model"], "colours");
  EXPECT_EQ(manifest["columns"][1]["type"], "Embedding[Float32; 12]");
  const auto written = nlohmann::json::parse(content_of(job.output + "/_report.json"));
  EXPECT_EQ(written["rows"], 25);
  EXPECT_EQ(written["failures"]["decode/unknown_format"], 2);
}

TEST(DirectoryOutputTest, PartsEndWhereRowsDo) {
  TemporaryDirectory directory;
  write_inputs(directory.file("in"), 20);
  const EmbedJob job = parts_job(directory);
  EXPECT_EQ(run(job, tables(), {}).parts.size(), 2u);
}

TEST(DirectoryOutputTest, NoRowsMakeOneEmptyPart) {
  TemporaryDirectory directory;
  write_inputs(directory.file("in"), 0);
  const EmbedJob job = parts_job(directory);
  const Report report = run(job, tables(), {});
  ASSERT_EQ(report.parts.size(), 1u);
  EXPECT_EQ(read_parquet(report.parts[0]).rows.size(), 0u);
}

TEST(DirectoryOutputTest, FailureKeepsWhatWasCommitted) {
  TemporaryDirectory directory;
  const auto paths = write_inputs(directory.file("in"), 45, {37});
  EmbedJob job = parts_job(directory);
  job.pipeline.on_error = exec::OnError::kRaise;
  EXPECT_THROW(run(job, tables(), {}), RunError);
  EXPECT_THAT(names_in(job.output), ElementsAre("_manifest.json", "part-00000.parquet",
                                                "part-00001.parquet", "part-00002.parquet"));
  const auto manifest = nlohmann::json::parse(content_of(job.output + "/_manifest.json"));
  EXPECT_EQ(manifest["complete"], false);
  for (std::int64_t part = 0; part < 3; ++part)
    expect_rows(read_parquet(job.output + "/" + part_name(part)).rows, paths, {}, part * 10);
}

TEST(DirectoryOutputTest, FailureBeforeTheFirstPartLeavesNothing) {
  TemporaryDirectory directory;
  write_inputs(directory.file("in"), 45, {7});
  EmbedJob job = parts_job(directory);
  job.pipeline.on_error = exec::OnError::kRaise;
  EXPECT_THROW(run(job, tables(), {}), RunError);
  EXPECT_THAT(names_in(directory.path()), ElementsAre("in"));

  std::filesystem::create_directory(job.output);  // not ours to remove
  EXPECT_THROW(run(job, tables(), {}), RunError);
  EXPECT_THAT(names_in(directory.path()), ElementsAre("in", "out"));
  EXPECT_THAT(names_in(job.output), ElementsAre());
}

TEST(DirectoryOutputTest, OverwriteReplacesOurFilesAndNoOthers) {
  TemporaryDirectory directory;
  write_inputs(directory.file("in"), 35);
  EmbedJob job = parts_job(directory);
  run(job, tables(), {});
  exec::write_bytes(job.output + "/notes.txt", "mine");
  exec::write_bytes(job.output + "/part-of-me.parquet", "mine");
  const auto before = names_in(job.output);
  try {
    run(job, tables(), {});
    FAIL() << "no exception";
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("--overwrite"));
    EXPECT_THAT(error.what(), HasSubstr("--resume"));
  }

  // A failed overwrite changes nothing.
  job.writing.mode = WriteMode::kOverwrite;
  job.pipeline.on_error = exec::OnError::kRaise;
  const std::string first_part = content_of(job.output + "/part-00000.parquet");
  write_inputs(directory.file("in"), 35, {34});
  EXPECT_THROW(run(job, tables(), {}), RunError);
  EXPECT_EQ(names_in(job.output), before);
  EXPECT_EQ(content_of(job.output + "/part-00000.parquet"), first_part);

  write_inputs(directory.file("in"), 35);
  job.pipeline.limit = 12;
  run(job, tables(), {});
  EXPECT_THAT(names_in(job.output),
              ElementsAre("_manifest.json", "_report.json", "notes.txt", "part-00000.parquet",
                          "part-00001.parquet", "part-of-me.parquet"));
  EXPECT_EQ(read_parquet(job.output + "/part-00001.parquet").rows.size(), 2u);
}

TEST(DirectoryOutputTest, ASecondRunIsRefused) {
  TemporaryDirectory directory;
  write_inputs(directory.file("in"), 5);
  EmbedJob job = parts_job(directory);
  job.writing.mode = WriteMode::kOverwrite;
  std::filesystem::create_directory(job.output);
  {
    const DirectoryLock lock(job.output);
    try {
      run(job, tables(), {});
      FAIL() << "no exception";
    } catch (const RequestError& error) {
      EXPECT_THAT(error.what(), HasSubstr("another run"));
    }
  }
  EXPECT_EQ(run(job, tables(), {}).statistics.rows, 5);
}

TEST(DirectoryOutputTest, RefusesPartsOfNoRows) {
  TemporaryDirectory directory;
  write_inputs(directory.file("in"), 5);
  EmbedJob job = parts_job(directory);
  job.writing.rows_per_part = 0;
  EXPECT_THROW(run(job, tables(), {}), RequestError);
}

}  // namespace
}  // namespace vecframe::job
