// Peak resident memory of whole runs, each in a process of its own: within the budget and 64 MiB,
// however many rows there are and whoever is slow.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "job/embed_job.h"
#include "job/process_memory.h"
#include "parquet_rows.h"

namespace vecframe::job {
namespace {

constexpr std::int64_t kLimit = std::int64_t{32} << 20;
constexpr std::int64_t kAllowance = std::int64_t{64} << 20;

bool slow_tests() {
  const char* slow = std::getenv("VECFRAME_SLOW_TESTS");
  return slow != nullptr && std::string(slow) == "1";
}

// A sanitizer keeps shadows of all memory.
constexpr bool kMeasurable =
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    false;
#else
    true;
#endif

class SlowListing final : public storage::Listing {
 public:
  SlowListing(std::string directory, std::int64_t count, std::chrono::microseconds pause)
      : directory_(std::move(directory)), count_(count), pause_(pause) {}
  std::optional<std::string> next() override {
    if (next_ == count_) return std::nullopt;
    std::this_thread::sleep_for(pause_);
    return directory_ + "/" + std::to_string(100000 + next_++) + ".bmp";
  }

 private:
  const std::string directory_;
  const std::int64_t count_;
  const std::chrono::microseconds pause_;
  std::int64_t next_ = 0;
};

class SlowSink final : public exec::RowSink {
 public:
  explicit SlowSink(std::chrono::microseconds pause) : pause_(pause) {}
  void write(const exec::Row& row) override {
    rows += row.error ? 0 : 1;
    std::this_thread::sleep_for(pause_);
  }
  std::int64_t max_buffered_bytes() const override { return 0; }
  std::int64_t rows = 0;

 private:
  const std::chrono::microseconds pause_;
};

// The directory of inputs outlives the process that makes it, for the ones that run.
class RunMemoryTest : public testing::Test {
 protected:
  static constexpr const char* kVariable = "VECFRAME_TEST_INPUTS";

  void SetUp() override {
    if (!kMeasurable) GTEST_SKIP() << "a sanitizer's memory is not the program's";
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    if (std::getenv(kVariable) != nullptr) return;
    directory_.emplace();
    write_inputs(directory_->file("in"), rows());
    setenv(kVariable, directory_->path().c_str(), 1);
  }
  void TearDown() override {
    if (directory_) unsetenv(kVariable);
  }
  static std::int64_t rows() { return slow_tests() ? 100'000 : 6'000; }
  static std::string path(const std::string& name) {
    return std::string(std::getenv(kVariable)) + "/" + name;
  }
  [[noreturn]] static void finish(bool complete) {
    const std::int64_t peak = peak_memory_of_process();
    std::fprintf(stderr, "peak %.1f MiB\n", static_cast<double>(peak) / (1 << 20));
    std::exit(complete && peak <= kLimit + kAllowance ? 0 : 1);
  }
  [[noreturn]] static void run_into_directory(std::int64_t limit) {
    EmbedJob job = colour_job({path("in")}, path("out-" + std::to_string(limit)));
    job.pipeline.memory_limit = kLimit;
    job.pipeline.limit = limit;
    job.writing.rows_per_part = 500;
    finish(run(job, tables(), {}).statistics.rows == limit);
  }
  [[noreturn]] static void run_pipeline(std::chrono::microseconds source,
                                        std::chrono::microseconds sink) {
    SlowListing listing(path("in"), 1000, source);
    SlowSink receiver(sink);
    exec::PipelineOptions options;
    options.memory_limit = kLimit;
    exec::run(listing, exec::colour_stage(), receiver, options, {});
    finish(receiver.rows == 1000);
  }

 private:
  std::optional<TemporaryDirectory> directory_;
};

using std::chrono::microseconds;

TEST_F(RunMemoryTest, OfAThousandRows) {
  EXPECT_EXIT(run_into_directory(1000), testing::ExitedWithCode(0), "peak");
}

TEST_F(RunMemoryTest, OfManyRows) {
  EXPECT_EXIT(run_into_directory(rows()), testing::ExitedWithCode(0), "peak");
}

TEST_F(RunMemoryTest, WithASlowSink) {
  EXPECT_EXIT(run_pipeline(microseconds(0), microseconds(1000)), testing::ExitedWithCode(0),
              "peak");
}

TEST_F(RunMemoryTest, WithASlowSource) {
  EXPECT_EXIT(run_pipeline(microseconds(1000), microseconds(0)), testing::ExitedWithCode(0),
              "peak");
}

}  // namespace
}  // namespace vecframe::job
