// The file pipeline under random delays, failures and cancellations at every stage: source, read,
// decode, embed, sink; random budgets, windows, numbers of threads, with and without order.

#include <vecframe/error.h>

#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <stdexcept>

#include "exec/pipeline.h"
#include "pipeline_run.h"
#include "stress_run.h"

namespace vecframe::exec {
namespace {

struct Unusual {};  // not a std::exception: ends the run

// Files of every fate. What becomes of a row is known from its file.
struct Files {
  enum class Kind { kSmall, kLarge, kHuge, kText, kMissing };
  struct File {
    std::string path;
    Kind kind;
    std::int64_t colour;
  };

  Files() {
    for (std::int64_t i = 0; i < 40; ++i) {
      const Kind kind = i % 10 == 3   ? Kind::kText
                        : i % 10 == 7 ? Kind::kMissing
                        : i % 20 == 5 ? Kind::kHuge
                        : i % 10 == 1 ? Kind::kLarge
                                      : Kind::kSmall;
      const std::string path = directory.file(std::to_string(100 + i) + ".bmp");
      const std::uint32_t side = kind == Kind::kHuge ? 900 : kind == Kind::kLarge ? 260 : 20;
      if (kind == Kind::kText) {
        write_bytes(path, "this is text, and no picture");
      } else if (kind != Kind::kMissing) {
        write_picture(path, i, side + static_cast<std::uint32_t>(i), side);
      }
      files.push_back({path, kind, i});
    }
  }

  TemporaryDirectory directory;
  std::vector<File> files;
};

class SlowListing final : public storage::Listing {
 public:
  SlowListing(std::vector<std::string> paths, Dice& dice, std::optional<std::int64_t> fails_at)
      : paths_(std::move(paths)), dice_(dice), fails_at_(fails_at) {}
  std::optional<std::string> next() override {
    dice_.delay();
    if (fails_at_ && static_cast<std::int64_t>(next_) == *fails_at_)
      throw RunError("the directory went away");
    if (next_ == paths_.size()) return std::nullopt;
    return paths_[next_++];
  }

 private:
  const std::vector<std::string> paths_;
  Dice& dice_;
  const std::optional<std::int64_t> fails_at_;
  std::size_t next_ = 0;
};

// Takes rows group by group, as a writer of parts does.
class GroupSink final : public RowSink {
 public:
  GroupSink(Dice& dice, std::int64_t group_rows, std::optional<std::int64_t> fails_at)
      : dice_(dice), group_rows_(group_rows), fails_at_(fails_at) {}

  void write(const Row& row) override {
    dice_.delay();
    if (fails_at_ && static_cast<std::int64_t>(rows.size()) == *fails_at_)
      throw RunError("disk full");
    EXPECT_TRUE(accepts(row.index));
    EXPECT_TRUE(seen_.insert(row.index).second) << "row " << row.index << " came twice";
    while (seen_.contains(first_)) ++first_;
    KeptRow kept{row.path, row.error ? row.error->to_string() : "", "", 0, 0, {}, {}};
    kept.embedding.assign(row.embedding.begin(), row.embedding.end());
    rows.emplace_back(row.index, std::move(kept));
  }
  bool accepts(std::int64_t index) override { return index / group_rows_ == first_ / group_rows_; }
  std::int64_t max_buffered_bytes() const override { return 1000; }

  std::vector<std::pair<std::int64_t, KeptRow>> rows;

 private:
  Dice& dice_;
  const std::int64_t group_rows_;
  const std::optional<std::int64_t> fails_at_;
  std::set<std::int64_t> seen_;
  std::int64_t first_ = 0;  // the oldest row that has not come
};

// A run, and what may come of it.
struct Trial {
  Trial(const Files& files, std::uint32_t seed) : dice(seed) {
    const std::int64_t count = dice.below(90);
    for (std::int64_t i = 0; i < count; ++i)
      inputs.push_back(files.files[static_cast<std::size_t>(
          dice.below(static_cast<std::int64_t>(files.files.size())))]);
    options.threads = static_cast<int>(1 + dice.below(4));
    if (dice.one_in(2)) options.stages.download = static_cast<int>(1 + dice.below(8));
    if (dice.one_in(2)) options.stages.decode = static_cast<int>(1 + dice.below(5));
    if (dice.one_in(2)) options.stages.embed = static_cast<int>(1 + dice.below(3));
    options.batch_size = dice.below(7);
    options.ordered = dice.one_in(2);
    options.deduplicate = dice.one_in(2);
    options.on_error = OnError::kIgnore;
    if (dice.one_in(4)) options.limit = dice.below(60);
    if (dice.one_in(6)) listing_fails_at = dice.below(60);
    if (dice.one_in(6)) sink_fails_at = dice.below(60);
    if (dice.one_in(6)) embedder_ends_at = dice.below(20);
    if (dice.one_in(3)) room_rows = dice.below(5);
    if (dice.one_in(3)) refused = dice.below(40);
    if (dice.one_in(3)) cancelled_after = std::chrono::microseconds(dice.below(15000));
    group_rows = 1 + dice.below(30);
    stage = colour_stage(
        [this](const std::uint8_t*, std::int64_t rows, float* out) { look(rows, out); });
  }

  void look(std::int64_t rows, const float* out) {
    dice.delay();
    if (embedder_ends_at && calls++ == *embedder_ends_at) throw Unusual();
    if (room_rows && rows > *room_rows) throw std::bad_alloc();
    if (!refused) return;
    const std::vector<float> vector = expected_vector(*refused);
    for (std::int64_t i = 0; i < rows; ++i)
      if (std::equal(vector.begin(), vector.end(), out + i * kColourDimension))
        throw std::invalid_argument("refused");
  }

  void check(const Files::File& file, const KeptRow& row) const {
    using Kind = Files::Kind;
    EXPECT_EQ(row.path, file.path);
    const testing::Matcher<const std::string&> no_room = testing::HasSubstr("/over_budget");
    if (file.kind == Kind::kText) {
      EXPECT_THAT(row.error, testing::StartsWith("decode/unknown_format"));
    } else if (file.kind == Kind::kMissing) {
      EXPECT_THAT(row.error, testing::StartsWith("read/not_found"));
    } else if (row.error.empty()) {
      EXPECT_EQ(row.embedding, expected_vector(file.colour));
      EXPECT_NE(refused, file.colour);
    } else if (refused == file.colour) {
      EXPECT_THAT(row.error, testing::AnyOf(testing::StartsWith("embed/"), no_room));
    } else {
      EXPECT_THAT(row.error, no_room);
      EXPECT_TRUE(file.kind == Kind::kHuge || file.kind == Kind::kLarge || room_rows == 0)
          << row.error;
    }
  }

  Dice dice;
  std::vector<Files::File> inputs;
  PipelineOptions options;
  std::optional<std::int64_t> listing_fails_at, sink_fails_at, embedder_ends_at, room_rows, refused;
  std::optional<std::chrono::microseconds> cancelled_after;
  std::int64_t group_rows = 1;
  std::atomic<std::int64_t> calls = 0;
  EmbedStage stage;
};

void run_trial(const Files& files, std::uint32_t seed) {
  Trial trial(files, seed);
  const std::string name = "seed " + std::to_string(seed);
  SCOPED_TRACE(name);
  const int threads_before = count_threads();
  CancellationToken cancellation;
  GroupSink sink(trial.dice, trial.group_rows, trial.sink_fails_at);
  std::optional<Statistics> statistics;
  {
    const Watchdog watchdog(name);
    std::optional<std::thread> canceller;
    if (trial.cancelled_after)
      canceller.emplace([&] {
        std::this_thread::sleep_for(*trial.cancelled_after);
        cancellation.cancel();
      });
    std::vector<std::string> paths;
    for (const Files::File& file : trial.inputs) paths.push_back(file.path);
    SlowListing listing(paths, trial.dice, trial.listing_fails_at);
    // Little more than the least with which the run begins at all.
    for (trial.options.memory_limit = minimum_memory(trial.stage, 1000);;
         trial.options.memory_limit += 50000) {
      try {
        statistics = run(listing, trial.stage, sink, trial.options, cancellation);
      } catch (const RequestError&) {
        continue;
      } catch (const Cancelled&) {
        EXPECT_TRUE(trial.cancelled_after);
      } catch (const RunError&) {
        EXPECT_TRUE(trial.listing_fails_at || trial.sink_fails_at);
      } catch (const Unusual&) {
        EXPECT_TRUE(trial.embedder_ends_at);
      }
      break;
    }
    if (canceller) canceller->join();
  }
  EXPECT_TRUE(threads_are_back_to(threads_before));
  const auto expected_rows = std::min<std::int64_t>(static_cast<std::int64_t>(trial.inputs.size()),
                                                    trial.options.limit.value_or(1000));
  EXPECT_LE(static_cast<std::int64_t>(sink.rows.size()), expected_rows);
  for (std::size_t i = 0; i < sink.rows.size(); ++i) {
    const auto& [index, row] = sink.rows[i];
    if (trial.options.ordered) {
      EXPECT_EQ(index, static_cast<std::int64_t>(i));
    }
    ASSERT_LT(index, expected_rows);
    trial.check(trial.inputs[static_cast<std::size_t>(index)], row);
  }
  if (!statistics) return;
  EXPECT_EQ(static_cast<std::int64_t>(sink.rows.size()), expected_rows);
  EXPECT_EQ(statistics->rows, expected_rows);
  EXPECT_LE(statistics->peak_budget_bytes, trial.options.memory_limit);
}

TEST(PipelineStressTest, EveryRowOnceUnderDelaysFailuresAndCancellations) {
  const Files files;
  const int seeds = num_seeds(100);
  for (int seed = 0; seed < seeds && !testing::Test::HasFailure(); ++seed)
    run_trial(files, static_cast<std::uint32_t>(seed));
}

}  // namespace
}  // namespace vecframe::exec
