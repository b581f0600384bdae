// Runs that end before their input: cancelled, or by an exception of something they call.

#include <vecframe/error.h>

#include <chrono>
#include <random>
#include <stdexcept>
#include <thread>

#include "exec/pipeline.h"
#include "pipeline_run.h"

namespace vecframe::exec {
namespace {

TEST(PipelineStopTest, CancelledAtAnyTime) {
  TemporaryDirectory directory;
  auto paths = write_pictures(directory, 150);
  write_picture(paths[20], 20, 1500, 1500);
  std::mt19937 random(11);
  int num_cancelled = 0;
  for (int attempt = 0; attempt < 60; ++attempt) {
    CancellationToken cancellation;
    const auto delay = std::chrono::microseconds(random() % 30000);
    PipelineOptions options = test_options(1 + attempt % 4, 1 + attempt % 5);
    options.memory_limit = 16 << 20;
    std::thread canceller([&] {
      std::this_thread::sleep_for(delay);
      cancellation.cancel();
    });
    VectorListing listing(paths);
    KeepingSink sink;
    try {
      run(listing, colour_stage(), sink, options, cancellation);
    } catch (const Cancelled&) {
      ++num_cancelled;
    }
    canceller.join();
    for (std::size_t row = 0; row < sink.rows.size(); ++row) {
      EXPECT_EQ(sink.rows[row].embedding, expected_vector(static_cast<std::int64_t>(row)));
    }
  }
  EXPECT_GT(num_cancelled, 0);
}

TEST(PipelineStopTest, CancelledBeforeItBegins) {
  TemporaryDirectory directory;
  VectorListing listing(write_pictures(directory, 5));
  KeepingSink sink;
  CancellationToken cancellation;
  cancellation.cancel();
  EXPECT_THROW(run(listing, colour_stage(), sink, test_options(), cancellation), Cancelled);
}

struct Unusual {};  // not a std::exception: not a matter of one row

TEST(PipelineStopTest, WhatSinkAndCallbacksThrowReachesTheCaller) {
  TemporaryDirectory directory;
  const auto paths = write_pictures(directory, 80);
  for (const std::size_t at : {0u, 1u, 33u, 79u}) {
    VectorListing listing(paths);
    KeepingSink sink;
    sink.hook = [&](const Row&) {
      if (sink.rows.size() == at) throw RunError("disk full");
    };
    EXPECT_THROW(run(listing, colour_stage(), sink, test_options(), {}), RunError);
    EXPECT_EQ(sink.rows.size(), at);
  }
  {
    VectorListing listing(paths);
    KeepingSink sink;
    EXPECT_THROW(run(listing, colour_stage(), sink, test_options(), {},
                     [](const Statistics&) { throw Unusual(); }),
                 Unusual);
  }
  {
    VectorListing listing({"/nonexistent/a"});
    KeepingSink sink;
    PipelineOptions options = test_options();
    options.on_error = OnError::kLog;
    EXPECT_THROW(
        run(listing, colour_stage(), sink, options, {}, {}, [](const Row&) { throw Unusual(); }),
        Unusual);
  }
}

TEST(PipelineStopTest, WhatThreadsThrowReachesTheCaller) {
  TemporaryDirectory directory;
  VectorListing listing(write_pictures(directory, 80));
  KeepingSink sink;
  const auto fail = [](const std::uint8_t*, std::int64_t, float*) { throw Unusual(); };
  EXPECT_THROW(run(listing, colour_stage(fail), sink, test_options(), {}), Unusual);
}

class FailingListing final : public storage::Listing {
 public:
  explicit FailingListing(std::string path) : path_(std::move(path)) {}
  std::optional<std::string> next() override {
    if (++count_ == 10) throw RunError("the directory went away");
    return path_;
  }

 private:
  const std::string path_;
  int count_ = 0;
};

TEST(PipelineStopTest, AListingThatFailsEndsTheRun) {
  TemporaryDirectory directory;
  FailingListing listing(write_picture(directory.file("a.bmp"), 0));
  KeepingSink sink;
  EXPECT_THROW(run(listing, colour_stage(), sink, test_options(), {}), RunError);
}

class LanelessEmbedder final : public embed::ImageEmbedder {
 public:
  std::unique_ptr<embed::EmbedLane> make_lane() override { throw RunError("no lane"); }
  std::int64_t lane_bytes(std::int64_t) const override { return 0; }
};

TEST(PipelineStopTest, AnEmbedderWithoutLanesEndsTheRun) {
  TemporaryDirectory directory;
  VectorListing listing(write_pictures(directory, 300));
  KeepingSink sink;
  const EmbedStage stage{std::make_shared<LanelessEmbedder>(), colour_spec(), kColourDimension};
  EXPECT_THROW(run(listing, stage, sink, test_options(), {}), RunError);
}

}  // namespace
}  // namespace vecframe::exec
