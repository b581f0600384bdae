// Maps of pictures under random delays, failures and cancellations at every stage: source,
// download, decode, embed, consumer; random budgets, numbers of threads, with and without order.

#include <atomic>
#include <new>
#include <optional>
#include <set>
#include <stdexcept>

#include "parallel_map_run.h"
#include "stress_run.h"

namespace vecframe::exec {
namespace {

struct Unusual {};  // not a std::exception: ends the run

class SlowSource final : public Operator {
 public:
  SlowSource(std::unique_ptr<Operator> source, Dice& dice, std::optional<std::int64_t> fails_at)
      : source_(std::move(source)), dice_(dice), fails_at_(fails_at) {}
  std::optional<Morsel> next() override {
    dice_.delay();
    if (fails_at_ && calls_++ == *fails_at_) throw RunError("the source went away");
    return source_->next();
  }

 private:
  std::unique_ptr<Operator> source_;
  Dice& dice_;
  const std::optional<std::int64_t> fails_at_;
  std::int64_t calls_ = 0;
};

struct MapStressTest : ParallelMapTest {
  void SetUp() override {
    for (std::int64_t i = 0; i < 30; ++i) {
      const std::string path = directory.file(std::to_string(100 + i) + ".bmp");
      if (i % 10 == 3) {
        write_bytes(path, "not a picture at all");
      } else if (i % 10 != 7) {
        const std::uint32_t side = i == 5 ? 900 : i % 10 == 1 ? 260 : 20;
        write_picture(path, i, side, side);
      }
      files.push_back(path);
    }
    fetch = [this](const std::string& path, const Reserve& reserve) {
      dice->delay();
      return fetch_file(path, reserve);
    };
    hook = [this](const std::uint8_t*, std::int64_t rows, float* out) {
      dice->delay();
      if (embedder_ends_at && calls++ == *embedder_ends_at) throw Unusual();
      if (room_rows && rows > *room_rows) throw std::bad_alloc();
      for (std::int64_t i = 0; refused && i < rows; ++i)
        if (out[i * kColourDimension] == expected_vector(*refused)[0])
          throw std::invalid_argument("refused");
    };
  }

  std::optional<std::int64_t> maybe(std::int64_t one_in, std::int64_t below) {
    return dice->one_in(one_in) ? std::optional(dice->below(below)) : std::nullopt;
  }
  std::optional<int> maybe_stage(std::int64_t most) {
    if (!dice->one_in(2)) return std::nullopt;
    return static_cast<int>(1 + dice->below(most));
  }

  void check(std::size_t file, const OutputRow& row) const {
    if (file % 10 == 3) {
      EXPECT_THAT(row.error, testing::StartsWith("decode/unknown_format"));
    } else if (file % 10 == 7) {
      EXPECT_THAT(row.error, testing::StartsWith("read/not_found"));
    } else if (row.error.empty()) {
      EXPECT_EQ(row.vector, expected_vector(static_cast<std::int64_t>(file)));
    } else if (refused == static_cast<std::int64_t>(file)) {
      EXPECT_THAT(row.error, testing::AnyOf(testing::StartsWith("embed/"),
                                            testing::HasSubstr("/over_budget")));
    } else {
      EXPECT_THAT(row.error, testing::HasSubstr("/over_budget"));
      EXPECT_TRUE(file == 5 || room_rows == 0) << row.error;
    }
  }

  void run_seed(std::uint32_t seed) {
    SCOPED_TRACE(seed);
    dice.emplace(seed);
    calls = 0;
    CancellationToken stop;
    const int threads_before = count_threads();
    std::vector<std::string> urls;
    for (std::int64_t left = dice->below(80); left > 0; --left)
      urls.push_back(files[static_cast<std::size_t>(dice->below(30))]);
    room_rows = maybe(3, 5);
    refused = maybe(3, 30);
    embedder_ends_at = maybe(6, 12);
    const auto source_fails_at = maybe(6, 12);
    const auto consumer_fails_at = maybe(6, 40);
    const auto cancelled_after = maybe(3, 15000);
    ordered = dice->one_in(2);
    StepContext own = context_of(stop);
    own.threads = static_cast<int>(1 + dice->below(4));
    own.stages = {maybe_stage(8), maybe_stage(4), maybe_stage(3)};
    own.memory_limit = (4 << 20) + dice->below(8 << 20);
    const auto batch_size = maybe(2, 6);
    const plan::MapStep step =
        embedding("defer", vecframe::OnError::kIgnore,
                  batch_size ? std::optional(*batch_size + 1) : std::nullopt);
    std::vector<OutputRow> rows;
    bool whole = false;
    {
      const Watchdog watchdog("seed " + std::to_string(seed));
      std::optional<std::thread> canceller;
      if (cancelled_after)
        canceller.emplace([&] {
          std::this_thread::sleep_for(std::chrono::microseconds(*cancelled_after));
          stop.cancel();
        });
      try {
        run_in(
            own,
            std::make_unique<SlowSource>(
                source_of(urls, static_cast<std::size_t>(1 + dice->below(20))), *dice,
                source_fails_at),
            step, [&](const std::vector<OutputRow>& so_far) {
              dice->delay();
              rows = so_far;
              if (consumer_fails_at && static_cast<std::int64_t>(rows.size()) > *consumer_fails_at)
                throw RunError("disk full");
            });
        whole = true;
      } catch (const Cancelled&) {
        EXPECT_TRUE(cancelled_after);
      } catch (const RunError&) {
        EXPECT_TRUE(source_fails_at || consumer_fails_at);
      } catch (const Unusual&) {
        EXPECT_TRUE(embedder_ends_at);
      }
      if (canceller) canceller->join();
    }
    EXPECT_TRUE(threads_are_back_to(threads_before));
    EXPECT_LE(own.counters->peak_bytes, own.memory_limit);
    std::multiset<std::string> expected(urls.begin(), urls.end());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (ordered) {
        EXPECT_EQ(rows[i].url, urls[i]);
      }
      const auto place = expected.find(rows[i].url);
      ASSERT_NE(place, expected.end()) << rows[i].url << " came too often";
      expected.erase(place);
      const auto file = std::find(files.begin(), files.end(), rows[i].url) - files.begin();
      check(static_cast<std::size_t>(file), rows[i]);
    }
    EXPECT_TRUE(!whole || expected.empty());
  }

  std::vector<std::string> files;
  std::optional<Dice> dice;
  std::optional<std::int64_t> room_rows, refused, embedder_ends_at;
  std::atomic<std::int64_t> calls = 0;
};

TEST_F(MapStressTest, EveryRowOnceUnderDelaysFailuresAndCancellations) {
  const int seeds = num_seeds(100);
  for (int seed = 0; seed < seeds && !HasFailure(); ++seed)
    run_seed(static_cast<std::uint32_t>(seed));
}

}  // namespace
}  // namespace vecframe::exec
