// Disks that are full, and directories that may not be written to.

#include <signal.h>
#include <sys/fsuid.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vecframe/error.h>

#include "job/embed_job.h"
#include "job/output_path.h"
#include "parquet_rows.h"

namespace vecframe::job {
namespace {

using testing::ElementsAre;

// Exit status of `body` in a process whose files may grow to `bytes`: 1 for RunError.
template <class Body>
int run_with_small_disk(rlim_t bytes, Body body) {
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, bytes};
    setrlimit(RLIMIT_FSIZE, &limit);
    int status = 0;
    try {
      body();
    } catch (const RunError&) {
      status = 1;
    } catch (...) {
      status = 2;
    }
    _exit(status);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(FullDiskTest, APartThatDoesNotFitIsNotThereAndARunCanGoOn) {
  TemporaryDirectory directory;
  const auto paths = write_inputs(directory.file("in"), 600);
  EmbedJob job = colour_job({directory.file("in")}, directory.file("out"));
  job.writing.mode = WriteMode::kResume;
  job.writing.rows_per_part = 50;
  job.writing.bytes_per_part = 1 << 30;
  job.pipeline.limit = 100;
  run(job, tables(), {});
  job.pipeline.limit.reset();
  job.writing.rows_per_part = 400;  // larger than the disk
  EXPECT_EQ(run_with_small_disk(12 << 10, [&] { run(job, tables(), {}); }), 1);
  std::vector<std::string> parts = names_in(job.output);
  std::erase_if(parts, [](const std::string& name) { return !is_part_name(name); });
  EXPECT_THAT(parts, ElementsAre("part-00000.parquet", "part-00001.parquet"));
  EXPECT_EQ(run(job, tables(), {}).statistics.rows, 500);
  std::size_t rows = 0;
  for (const std::string& name : names_in(job.output))
    if (is_part_name(name)) rows += read_parquet(job.output + "/" + name).rows.size();
  EXPECT_EQ(rows, 600u);
}

TEST(FullDiskTest, AFileThatDoesNotFitIsNotThere) {
  TemporaryDirectory directory;
  write_inputs(directory.file("in"), 300);
  const EmbedJob job = colour_job({directory.file("in")}, directory.file("out.parquet"));
  EXPECT_EQ(run_with_small_disk(8 << 10, [&] { run(job, tables(), {}); }), 1);
  EXPECT_THAT(names_in(directory.path()), ElementsAre("in"));
}

TEST(FullDiskTest, ADirectoryThatMayNotBeWrittenToIsRefusedBeforeAnyWork) {
  TemporaryDirectory directory;
  write_inputs(directory.file("in"), 3);
  std::filesystem::create_directory(directory.file("out"));
  std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
  std::filesystem::permissions(directory.file("out"), std::filesystem::perms(0555));
  const EmbedJob job = colour_job({directory.file("in")}, directory.file("out"));
  // Root may write everywhere; its stand-in may not, which access() does not know.
  const bool is_root = geteuid() == 0;
  if (is_root) setfsuid(65534);
  bool refused = false;
  try {
    run(job, tables(), {});
  } catch (const RequestError&) {
    refused = !is_root;
  } catch (const RunError&) {
    refused = is_root;
  }
  if (is_root) setfsuid(0);
  EXPECT_TRUE(refused);
  EXPECT_THAT(names_in(directory.file("out")), testing::IsEmpty());
}

}  // namespace
}  // namespace vecframe::job
