// A run that is killed at any moment leaves no output that looks like one.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <map>
#include <random>
#include <thread>

#include "job/embed_job.h"
#include "job/output_path.h"
#include "parquet_rows.h"

namespace vecframe::job {
namespace {

void run_and_kill(const EmbedJob& job, std::chrono::microseconds after) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      run(job, tables(), {});
    } catch (...) {
      _exit(1);
    }
    _exit(0);
  }
  std::this_thread::sleep_for(after);
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
}

void sleep_a_little(const std::uint8_t*, std::int64_t, float*) {
  std::this_thread::sleep_for(std::chrono::microseconds(500));
}

TEST(KilledRunTest, AFileIsWholeOrNotThere) {
  TemporaryDirectory directory;
  const auto paths = write_inputs(directory.file("in"), 60);
  std::mt19937 random(3);
  for (int attempt = 0; attempt < 25; ++attempt) {
    EmbedJob job =
        colour_job({directory.file("in")}, directory.file("out.parquet"), sleep_a_little);
    job.writing.mode = WriteMode::kOverwrite;
    run_and_kill(job, std::chrono::microseconds(random() % 60000));
    if (!std::filesystem::exists(job.output)) continue;
    const ParquetRows output = read_parquet(job.output);
    EXPECT_EQ(output.rows.size(), 60u);
    expect_rows(output.rows, paths);
    std::filesystem::remove(job.output);
  }
}

// As often as the slow tests want it, else a handful of times.
int num_kills() {
  const char* slow = std::getenv("VECFRAME_SLOW_TESTS");
  return slow != nullptr && std::string(slow) == "1" ? 50 : 8;
}

std::map<std::string, std::vector<float>> vectors_of(const std::string& directory) {
  std::map<std::string, std::vector<float>> vectors;
  for (const std::string& name : names_in(directory)) {
    if (!is_part_name(name)) continue;
    for (const OutputRow& row : read_parquet(directory + "/" + name).rows)
      EXPECT_TRUE(vectors.emplace(row.path, row.embedding.value()).second) << row.path << " twice";
  }
  return vectors;
}

// A run of 20 shards, killed at a random moment, and resumed; each time from nothing, so that the
// kill meets every part of a run.
TEST(KilledRunTest, AResumedRunHasEveryRowOnce) {
  TemporaryDirectory directory;
  write_inputs(directory.file("in"), 200);
  EmbedJob job = colour_job({directory.file("in")}, directory.file("whole"), sleep_a_little);
  job.writing.rows_per_part = 10;
  const auto start = std::chrono::steady_clock::now();
  run(job, tables(), {});
  const auto undisturbed = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  const auto expected = vectors_of(job.output);
  ASSERT_EQ(expected.size(), 200u);

  job.output = directory.file("out");
  job.writing.mode = WriteMode::kResume;
  std::mt19937 random(5);
  int interrupted = 0;
  for (int kill = 0; kill < num_kills(); ++kill) {
    run_and_kill(job, std::chrono::microseconds(random() % undisturbed.count()));
    std::size_t visible = 0;
    if (std::filesystem::exists(job.output)) visible = vectors_of(job.output).size();
    EXPECT_EQ(visible % 10, 0u) << "half a part";
    interrupted += visible > 0 && visible < 200 ? 1 : 0;
    if (kill % 3 == 0) continue;  // killed again before it is whole
    const Report report = run(job, tables(), {});
    EXPECT_EQ(report.statistics.rows, 200 - static_cast<std::int64_t>(visible));
    EXPECT_EQ(vectors_of(job.output), expected);
    std::vector<std::string> parts = names_in(job.output);
    std::erase_if(parts, [](const std::string& name) { return !is_part_name(name); });
    EXPECT_EQ(parts.size(), 20u);
    std::filesystem::remove_all(job.output);
  }
  EXPECT_GT(interrupted, 0) << "no kill met a run between two commits";
}

// Parts that are written again are replaced whole.
TEST(KilledRunTest, ARewrittenPartIsOldOrNew) {
  TemporaryDirectory directory;
  const auto paths = write_inputs(directory.file("in"), 40);
  EmbedJob job = colour_job({directory.file("in")}, directory.file("out"), sleep_a_little);
  job.writing.rows_per_part = 10;
  job.writing.mode = WriteMode::kResume;
  run(job, tables(), {});
  std::mt19937 random(6);
  for (int attempt = 0; attempt < num_kills(); ++attempt) {
    for (int i = 0; i < 12; ++i)
      exec::write_picture(paths[random() % 40], static_cast<std::int64_t>(random() % 1000), 24,
                          18 + static_cast<std::uint32_t>(attempt) % 8);
    run_and_kill(job, std::chrono::microseconds(random() % 40000));
    EXPECT_EQ(vectors_of(job.output).size(), 40u);
    run(job, tables(), {});
    EXPECT_EQ(vectors_of(job.output).size(), 40u);
    EXPECT_EQ(run(job, tables(), {}).statistics.rows, 0);
  }
}

}  // namespace
}  // namespace vecframe::job
