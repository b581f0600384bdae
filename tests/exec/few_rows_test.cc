// Fewer batches than cores: those that have no work leave their cores to the others.
#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "exec/processors.h"
#include "parallel_map_run.h"

namespace vecframe::exec {
namespace {

constexpr int kThreads = 3;

// Waits for what the other workers do without being asked; fails instead of hanging.
bool comes_true(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

int all_cores() { return std::min(kThreads, usable_processors()); }

TEST_F(ParallelMapTest, OneRowHasAllCoresWhileItIsEmbedded) {
  ColourEmbedder* embedder = nullptr;
  int cores = 0;
  context.threads = kThreads;
  hook = [&](const std::uint8_t*, std::int64_t, float*) {
    comes_true([&] { return embedder->cores() == all_cores(); });
    cores = embedder->cores();
  };
  context.image_stage = [&](const plan::EmbedCall&) {
    EmbedStage stage = colour_stage(hook);
    embedder = static_cast<ColourEmbedder*>(stage.embedder.get());
    return stage;
  };
  const auto rows =
      run(write_pictures(directory, 1), embedding("raise", vecframe::OnError::kRaise));
  EXPECT_EQ(cores, all_cores());
  EXPECT_EQ(rows.at(0).vector, expected_vector(0));
}

TEST_F(ParallelMapTest, AFewRowsGoToAllWorkers) {
  const auto largest_batch_of = [&](std::int64_t count, std::optional<std::int64_t> batch_size) {
    std::shared_ptr<embed::ImageEmbedder> embedder;
    StepContext own = context_of(cancellation);
    own.threads = kThreads;
    own.image_stage = [&](const plan::EmbedCall&) {
      const EmbedStage stage = colour_stage();
      embedder = stage.embedder;
      return stage;
    };
    const auto rows = run_in(own, source_of(write_pictures(directory, count)),
                             embedding("raise", vecframe::OnError::kRaise, batch_size));
    EXPECT_EQ(rows.size(), static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < rows.size(); ++i)
      EXPECT_EQ(rows[i].vector, expected_vector(static_cast<std::int64_t>(i)));
    return static_cast<ColourEmbedder&>(*embedder).largest_batch();
  };
  EXPECT_EQ(largest_batch_of(1, {}), 1);
  EXPECT_EQ(largest_batch_of(3, {}), 1);
  EXPECT_EQ(largest_batch_of(7, {}), 3);
  EXPECT_EQ(largest_batch_of(7, 7), 7);  // who asks for a size gets it
}

TEST(PipelineFewRowsTest, TheLastFileHasAllCoresWhileItIsEmbedded) {
  const TemporaryDirectory directory;
  VectorListing listing(write_pictures(directory, 1));
  const ColourEmbedder* embedder = nullptr;
  int cores = 0;
  const EmbedStage stage = colour_stage([&](const std::uint8_t*, std::int64_t, float*) {
    comes_true([&] { return embedder->cores() == all_cores(); });
    cores = embedder->cores();
  });
  embedder = static_cast<const ColourEmbedder*>(stage.embedder.get());
  KeepingSink sink;
  vecframe::exec::run(listing, stage, sink, test_options(kThreads), {});
  EXPECT_EQ(cores, all_cores());
  EXPECT_EQ(sink.rows.at(0).embedding, expected_vector(0));
}

}  // namespace
}  // namespace vecframe::exec
