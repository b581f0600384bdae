// Runs that go on with what a directory holds.

#include <vecframe/error.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include "job/directory_lock.h"
#include "job/embed_job.h"
#include "job/merge_reports.h"
#include "job/output_path.h"
#include "parquet_rows.h"

namespace vecframe::job {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ResumeTest : public testing::Test {
 protected:
  void SetUp() override { paths_ = write_inputs(directory_.file("in"), 35); }

  EmbedJob job(exec::ColourEmbedder::Hook hook = {}) const {
    EmbedJob result = colour_job({directory_.file("in")}, directory_.file("out"), std::move(hook));
    result.writing.rows_per_part = 10;
    result.writing.mode = WriteMode::kResume;
    return result;
  }
  /// Runs it and counts the vectors that were made.
  Report run_counting(EmbedJob job) {
    embedded_ = 0;
    auto descriptor = std::make_shared<ColourDescriptor>(
        [this](const std::uint8_t*, std::int64_t count, float*) { embedded_ += count; });
    if (other_model_) descriptor->change_model();
    job.descriptor = descriptor;
    return run(job, tables(), {});
  }
  /// Every row of the output by its path; more than one of a path is a failure.
  std::map<std::string, OutputRow> rows() const {
    std::map<std::string, OutputRow> result;
    for (const std::string& name : names_in(directory_.file("out"))) {
      if (!is_part_name(name)) continue;
      for (OutputRow& row : read_parquet(directory_.file("out/" + name)).rows)
        EXPECT_TRUE(result.emplace(row.path, row).second) << row.path << " twice";
    }
    return result;
  }
  void expect_all_rows(const std::vector<std::string>& paths) const {
    const auto found = rows();
    EXPECT_EQ(found.size(), paths.size());
    for (std::size_t i = 0; i < paths.size(); ++i) {
      ASSERT_TRUE(found.contains(paths[i])) << paths[i];
      expect_rows({found.at(paths[i])}, paths, {}, static_cast<std::int64_t>(i));
    }
  }
  std::map<std::string, std::string> parts() const {
    std::map<std::string, std::string> result;
    for (const std::string& name : names_in(directory_.file("out")))
      result[name] = content_of(directory_.file("out/" + name));
    return result;
  }
  std::string refusal(const EmbedJob& job) {
    try {
      run(job, tables(), {});
    } catch (const RequestError& error) {
      return error.what();
    }
    return "";
  }

  TemporaryDirectory directory_;
  std::vector<std::string> paths_;
  std::atomic<std::int64_t> embedded_{0};
  bool other_model_ = false;
};

TEST_F(ResumeTest, AFirstRunIsARun) {
  EXPECT_EQ(run_counting(job()).statistics.rows, 35);
  expect_all_rows(paths_);
  EXPECT_THAT(names_in(directory_.file("out")),
              ElementsAre("_manifest.json", "_report.json", "part-00000.parquet",
                          "part-00001.parquet", "part-00002.parquet", "part-00003.parquet"));
}

TEST_F(ResumeTest, WithNothingToDoItTouchesNothing) {
  run_counting(job());
  const auto before = parts();
  const Report report = run_counting(job());
  EXPECT_EQ(report.statistics.rows, 0);
  EXPECT_EQ(report.load_seconds, 0) << "the model was loaded";
  EXPECT_EQ(report.totals->rows, 35);
  EXPECT_EQ(parts(), before);
}

TEST_F(ResumeTest, ComputesWhatIsMissingOnly) {
  run_counting(job());
  std::filesystem::remove(directory_.file("out/part-00001.parquet"));
  const auto before = parts();
  EXPECT_EQ(run_counting(job()).statistics.rows, 10);
  EXPECT_EQ(embedded_, 10);
  expect_all_rows(paths_);
  EXPECT_EQ(parts()["part-00000.parquet"], before.at("part-00000.parquet"));
}

TEST_F(ResumeTest, ANewFileInTheMiddleMovesNothing) {
  run_counting(job());
  const auto before = parts();
  exec::write_picture(directory_.file("in/100004b.bmp"), 35);
  const Report report = run_counting(job());
  EXPECT_EQ(embedded_, 1);
  EXPECT_EQ(report.totals->rows, 36);
  EXPECT_THAT(report.parts, ElementsAre(directory_.file("out/part-00004.parquet")));
  paths_.push_back(directory_.file("in/100004b.bmp"));
  expect_all_rows(paths_);
  for (const auto& [name, content] : before) {
    if (!is_part_name(name)) continue;
    EXPECT_EQ(parts()[name], content) << name;
  }
}

TEST_F(ResumeTest, AChangedFileIsComputedAgainInItsPart) {
  run_counting(job());
  const auto before = parts();
  exec::write_picture(paths_[13], 99, 24, 20);
  exec::write_picture(paths_[17], 98, 24, 20);
  EXPECT_EQ(run_counting(job()).statistics.rows, 2);
  EXPECT_EQ(embedded_, 2);
  const auto after = read_parquet(directory_.file("out/part-00001.parquet")).rows;
  ASSERT_THAT(after, SizeIs(10));
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(after[i].path, paths_[10 + i]) << "the order within the part";
    const std::int64_t colour = i == 3 ? 99 : i == 7 ? 98 : static_cast<std::int64_t>(10 + i);
    EXPECT_EQ(after[i].embedding->at(0), exec::colour_of(colour)[0]);
  }
  for (const char* name : {"part-00000.parquet", "part-00002.parquet", "part-00003.parquet"})
    EXPECT_EQ(parts()[name], before.at(name));
  EXPECT_EQ(run_counting(job()).statistics.rows, 0);
}

TEST_F(ResumeTest, ByContentATouchedFileIsUnchanged) {
  EmbedJob by_content = job();
  by_content.writing.detect = Detect::kContent;
  run_counting(by_content);
  std::filesystem::last_write_time(paths_[3], std::filesystem::file_time_type{});
  EXPECT_EQ(run_counting(by_content).statistics.rows, 0);
  exec::write_picture(paths_[3], 77);
  EXPECT_EQ(run_counting(by_content).statistics.rows, 1);
}

TEST_F(ResumeTest, AnotherModelComputesAllAgain) {
  run_counting(job());
  other_model_ = true;
  const Report report = run_counting(job());
  EXPECT_EQ(embedded_, 35);
  EXPECT_EQ(report.totals->parts, 4);
  ASSERT_THAT(report.notices, SizeIs(1));
  EXPECT_THAT(report.notices[0], HasSubstr("model_fingerprint is '0123456789abcdef', not"));
  expect_all_rows(paths_);
  EXPECT_EQ(run_counting(job()).statistics.rows, 0);
}

TEST_F(ResumeTest, RowsThatCannotBeComputedAgainAreNotMixedIn) {
  run_counting(job());
  std::filesystem::remove(paths_[0]);
  other_model_ = true;
  try {
    run_counting(job());
    FAIL() << "no exception";
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("part-00000.parquet has 1 rows of another recipe"));
    EXPECT_THAT(error.what(), HasSubstr("--prune"));
  }
  EmbedJob pruning = job();
  pruning.writing.prune = true;
  EXPECT_EQ(run_counting(pruning).totals->rows, 34);
  paths_.erase(paths_.begin());
  EXPECT_EQ(rows().size(), paths_.size());
}

TEST_F(ResumeTest, DeletedInputsStayUntilPruned) {
  run_counting(job());
  for (const int row : {0, 12, 30, 31, 32, 33, 34}) std::filesystem::remove(paths_.at(row));
  EXPECT_EQ(run_counting(job()).statistics.rows, 0);
  EXPECT_THAT(rows(), SizeIs(35));

  exec::write_picture(paths_[13], 99, 24, 20);  // beside a row that goes
  EmbedJob pruning = job();
  pruning.writing.prune = true;
  const Report report = run_counting(pruning);
  EXPECT_EQ(embedded_, 1);
  EXPECT_EQ(report.totals->rows, 28);
  EXPECT_EQ(report.totals->parts, 3);
  EXPECT_THAT(rows(), SizeIs(28));
  EXPECT_FALSE(std::filesystem::exists(directory_.file("out/part-00003.parquet")));
  EXPECT_EQ(run_counting(pruning).statistics.rows, 0);
}

TEST_F(ResumeTest, FailedRowsAreTriedAgainOnDemand) {
  write_inputs(directory_.file("in"), 35, {3, 24});
  EXPECT_EQ(run_counting(job()).statistics.failed, 2);
  EXPECT_EQ(run_counting(job()).statistics.rows, 0) << "a row that failed is done";

  EmbedJob retry = job();
  retry.writing.add_missing = false;
  retry.writing.retry_failed = true;
  EXPECT_EQ(run_counting(retry).statistics.rows, 2);
  // Mended, and as it was before in the eyes of the clock.
  const auto time = std::filesystem::last_write_time(paths_[3]);
  const std::string bytes = exec::bmp_bytes(24, 18, exec::colour_of(3));
  exec::write_bytes(paths_[3], bytes);
  std::filesystem::last_write_time(paths_[3], time);
  exec::write_picture(directory_.file("in/new.bmp"), 50);
  const Report report = run_counting(retry);
  EXPECT_EQ(report.statistics.rows, 2);
  EXPECT_EQ(report.statistics.failed, 1);
  EXPECT_EQ(report.totals->failed, 1);
  EXPECT_EQ(embedded_, 1) << "the new file is none that failed";
  EXPECT_TRUE(rows().at(paths_[3]).embedding);

  other_model_ = true;
  EXPECT_THROW(run_counting(retry), RequestError);
}

TEST_F(ResumeTest, AppendAddsRowsOfTheSameRecipe) {
  run_counting(job());
  write_inputs(directory_.file("more"), 5);
  EmbedJob append = job();
  append.inputs = {directory_.file("more")};
  append.writing.mode = WriteMode::kAppend;
  EXPECT_EQ(run_counting(append).totals->rows, 40);
  EXPECT_THAT(rows(), SizeIs(40));
  other_model_ = true;
  try {
    run_counting(append);
    FAIL() << "no exception";
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("model_fingerprint is '0123456789abcdef', not '"));
    EXPECT_THAT(error.what(), HasSubstr("--resume"));
  }
}

TEST_F(ResumeTest, ACorruptPartIsPutAsideAndComputedAgain) {
  run_counting(job());
  const std::string part = directory_.file("out/part-00002.parquet");
  std::filesystem::resize_file(part, 100);
  const Report report = run_counting(job());
  EXPECT_EQ(report.statistics.rows, 10);
  EXPECT_THAT(report.notices, ElementsAre(HasSubstr("_corrupt-part-00002.parquet")));
  EXPECT_EQ(std::filesystem::file_size(directory_.file("out/_corrupt-part-00002.parquet")), 100u);
  expect_all_rows(paths_);
}

TEST_F(ResumeTest, AFileOfSomebodyElseIsRefused) {
  run_counting(job());
  EmbedJob file = job();
  file.writing.mode = WriteMode::kError;
  file.output = directory_.file("foreign.parquet");
  run(file, tables(), {});
  std::filesystem::rename(file.output, directory_.file("out/part-00007.parquet"));
  EXPECT_THAT(refusal(job()), HasSubstr("part-00007.parquet' was not written part by part"));
}

TEST_F(ResumeTest, AFileChangedInTheMiddleOfARunIsSeenByTheNext) {
  std::atomic<bool> changed{false};
  const std::string last = paths_.back();
  EmbedJob changing = job([&](const std::uint8_t*, std::int64_t, float*) {
    if (!changed.exchange(true)) exec::write_picture(last, 66, 24, 20);
  });
  changing.pipeline.threads = 1;
  changing.pipeline.batch_size = 1;
  run(changing, tables(), {});
  const Report report = run_counting(job());
  // Whether the first run read it before or after the change: its key is of the earlier state.
  EXPECT_LE(report.statistics.rows, 1);
  EXPECT_EQ(rows().at(last).embedding->at(0), exec::colour_of(66)[0]);
}

TEST_F(ResumeTest, AStaleLockIsNone) {
  run_counting(job());
  exec::write_bytes(directory_.file("out/_lock"), "");
  exec::write_bytes(directory_.file("out/.part-00009.parquet.77-0.tmp"), "half");
  std::filesystem::remove(directory_.file("out/part-00001.parquet"));
  EXPECT_EQ(run_counting(job()).statistics.rows, 10);
  EXPECT_FALSE(std::filesystem::exists(directory_.file("out/.part-00009.parquet.77-0.tmp")));
}

TEST_F(ResumeTest, SharesFillOneDirectoryAtTheSameTime) {
  std::vector<std::thread> threads;
  std::atomic<std::int64_t> num_rows{0};
  for (std::int64_t share = 0; share < 4; ++share) {
    threads.emplace_back([&, share] {
      EmbedJob part = job();
      part.writing.rows_per_part = 4;
      part.writing.share = {share, 4};
      num_rows += run(part, tables(), {}).statistics.rows;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(num_rows, 35);
  expect_all_rows(paths_);
  const auto manifest = nlohmann::json::parse(content_of(directory_.file("out/_manifest.json")));
  EXPECT_EQ(manifest["complete"], true);
  EXPECT_EQ(manifest["rows"], 35);
  const auto report = nlohmann::json::parse(content_of(directory_.file("out/_report.json")));
  EXPECT_EQ(report["rows"], 35);
  EXPECT_EQ(report["runs"], 4);
  EXPECT_EQ(run_counting(job()).statistics.rows, 0) << "a whole run finds nothing to do";
}

TEST_F(ResumeTest, SharesAreLockedAgainstEachOther) {
  std::filesystem::create_directory(directory_.file("out"));
  const ShareLock held(directory_.file("out"), {1, 4});
  EmbedJob share = job();
  share.writing.share = {1, 4};
  EXPECT_THAT(refusal(share), HasSubstr("another run"));
  share.writing.share = {0, 5};
  EXPECT_THAT(refusal(share), HasSubstr("the same number of shares"));
  EXPECT_THAT(refusal(job()), HasSubstr("another run"));
  share.writing.share = {0, 4};
  EXPECT_EQ(refusal(share), "");
}

TEST_F(ResumeTest, AMergeRebuildsTheManifest) {
  run_counting(job());
  const std::string manifest = content_of(directory_.file("out/_manifest.json"));
  std::filesystem::remove(directory_.file("out/_manifest.json"));
  const OutputDirectory output(directory_.file("out"));
  const MergedOutput merged = merge_shares(output, tables());
  EXPECT_EQ(merged.rows, 35);
  EXPECT_EQ(merged.parts, 4);
  EXPECT_EQ(nlohmann::json::parse(content_of(directory_.file("out/_manifest.json"))),
            nlohmann::json::parse(manifest));
}

TEST_F(ResumeTest, RefusesWhatContradictsItself) {
  EmbedJob wrong = job();
  wrong.writing.mode = WriteMode::kError;
  wrong.writing.prune = true;
  EXPECT_THAT(refusal(wrong), HasSubstr("prune"));
  wrong = job();
  wrong.output = directory_.file("o.parquet");
  EXPECT_THAT(refusal(wrong), HasSubstr("resume needs a directory"));
  wrong = job();
  wrong.writing.share = {4, 4};
  EXPECT_THAT(refusal(wrong), HasSubstr("5/4"));
  wrong.writing.share = {1, 4};
  wrong.writing.prune = true;
  EXPECT_THAT(refusal(wrong), HasSubstr("prune"));
}

}  // namespace
}  // namespace vecframe::job
