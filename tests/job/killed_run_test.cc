// A run that is killed at any moment leaves no output that looks like one.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
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
    job.mode = WriteMode::kOverwrite;
    run_and_kill(job, std::chrono::microseconds(random() % 60000));
    if (!std::filesystem::exists(job.output)) continue;
    const ParquetRows output = read_parquet(job.output);
    EXPECT_EQ(output.rows.size(), 60u);
    expect_rows(output.rows, paths);
    std::filesystem::remove(job.output);
  }
}

TEST(KilledRunTest, PartsAreWholeAndTheNextRunCleansUp) {
  TemporaryDirectory directory;
  const auto paths = write_inputs(directory.file("in"), 60);
  std::mt19937 random(5);
  EmbedJob job = colour_job({directory.file("in")}, directory.file("out/"), sleep_a_little);
  job.rows_per_part = 20;
  for (int attempt = 0; attempt < 25; ++attempt) {
    run_and_kill(job, std::chrono::microseconds(random() % 60000));
    if (!std::filesystem::exists(job.output)) continue;
    bool visible = false;
    for (const std::string& name : names_in(job.output)) {
      if (!is_part_name(name)) continue;
      visible = true;
      EXPECT_EQ(read_parquet(job.output + name).rows.size(), 20u);
    }
    // Without parts the directory counts as empty, and a run needs no leave to write into it.
    EmbedJob next = job;
    if (visible) next.mode = WriteMode::kOverwrite;
    EXPECT_EQ(run(next, tables(), {}).statistics.rows, 60);
    EXPECT_THAT(names_in(job.output),
                testing::ElementsAre("_manifest.json", "_report.json", "part-00000.parquet",
                                     "part-00001.parquet", "part-00002.parquet"));
    std::filesystem::remove_all(job.output);
  }
}

}  // namespace
}  // namespace vecframe::job
