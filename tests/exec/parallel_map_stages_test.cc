// The map's stages: how many rows are in each, slow sources and consumers, order, copies, memory.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <set>
#include <thread>

#include "exec/embed_pictures.h"
#include "parallel_map_run.h"

namespace vecframe::exec {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

// Counts who is inside at a time.
class Occupancy {
 public:
  void enter() {
    const int now = ++inside_;
    int seen = most_;
    while (seen < now && !most_.compare_exchange_weak(seen, now)) {
    }
  }
  void leave() { --inside_; }
  int most() const { return most_; }

 private:
  std::atomic<int> inside_{0}, most_{0};
};

struct ParallelMapStagesTest : ParallelMapTest {
  plan::MapStep step(std::optional<std::int64_t> batch_size = {}) const {
    return embedding("defer", vecframe::OnError::kIgnore, batch_size);
  }
  void expect_vectors(const std::vector<OutputRow>& rows, const std::vector<std::string>& urls) {
    ASSERT_EQ(rows.size(), urls.size());
    std::set<std::string> seen;
    for (const OutputRow& row : rows) {
      const auto at = std::find(urls.begin(), urls.end(), row.url) - urls.begin();
      EXPECT_EQ(row.vector, expected_vector(at)) << row.error;
      EXPECT_TRUE(seen.insert(row.url).second) << row.url;
    }
  }
};

TEST_F(ParallelMapStagesTest, AsManyRowsAreReadAtATimeAsAreAskedFor) {
  const std::vector<std::string> urls = write_pictures(directory, 60);
  context.threads = 1;
  context.stages = {.download = 8, .decode = 2, .embed = 1};
  // The first eight wait for each other.
  std::mutex mutex;
  std::condition_variable met;
  int arrived = 0;
  Occupancy reading, embedding;
  context.fetch = [&](const std::string& path, const Reserve& reserve) {
    reading.enter();
    {
      std::unique_lock lock(mutex);
      ++arrived;
      met.notify_all();
      EXPECT_TRUE(met.wait_for(lock, seconds(60), [&] { return arrived >= 8; }));
    }
    auto bytes = fetch_file(path, reserve);
    reading.leave();
    return bytes;
  };
  hook = [&](const std::uint8_t*, std::int64_t, float*) {
    embedding.enter();
    std::this_thread::yield();
    embedding.leave();
  };
  expect_vectors(run(urls, step(2)), urls);
  EXPECT_EQ(reading.most(), 8);
  EXPECT_EQ(embedding.most(), 1);
  EXPECT_EQ(context.counters->rows_read, 60);
  EXPECT_EQ(context.counters->rows_prepared, 60);
  EXPECT_EQ(context.counters->rows_embedded, 60);
  EXPECT_GT(context.counters->read.seconds(), 0);
}

TEST_F(ParallelMapStagesTest, WithoutOrderASlowRowHoldsNobodyUp) {
  const std::vector<std::string> urls = write_pictures(directory, 200);
  ordered = false;
  std::atomic<bool> others_left = false;
  context.fetch = [&](const std::string& path, const Reserve& reserve) {
    while (path == urls[0] && !others_left) std::this_thread::sleep_for(milliseconds(1));
    return fetch_file(path, reserve);
  };
  const auto rows = run_from(source_of(urls), step(4), [&](const auto& left) {
    others_left = left.size() >= urls.size() - 4;  // all but those of its chunk
  });
  expect_vectors(rows, urls);
  EXPECT_TRUE(std::any_of(rows.end() - 4, rows.end(),
                          [&](const OutputRow& row) { return row.url == urls[0]; }));
}

// Row by row, each only after the one before it has come out at the other end.
class WaitingSource final : public Operator {
 public:
  WaitingSource(std::vector<std::string> urls, std::atomic<std::size_t>& left)
      : urls_(std::move(urls)), left_(left) {}
  std::optional<Morsel> next() override {
    while (left_ < next_ && !given_up_) std::this_thread::sleep_for(milliseconds(1));
    if (next_ == urls_.size()) return std::nullopt;
    return source_of({urls_[next_++]})->next();
  }
  void give_up() { given_up_ = true; }

 private:
  const std::vector<std::string> urls_;
  std::atomic<std::size_t>& left_;
  std::atomic<bool> given_up_ = false;
  std::size_t next_ = 0;
};

TEST_F(ParallelMapStagesTest, AnIncompleteBatchLeavesWhenNothingElseComes) {
  const std::vector<std::string> urls = write_pictures(directory, 5);
  std::atomic<std::size_t> left = 0;
  const auto rows = run_from(std::make_unique<WaitingSource>(urls, left), step(16),
                             [&](const auto& so_far) { left = so_far.size(); });
  expect_vectors(rows, urls);
}

class CountingSource final : public Operator {
 public:
  CountingSource(std::unique_ptr<Operator> source, std::atomic<std::int64_t>& taken)
      : source_(std::move(source)), taken_(taken) {}
  std::optional<Morsel> next() override {
    std::optional<Morsel> morsel = source_->next();
    if (morsel) taken_ += morsel->num_rows;
    return morsel;
  }

 private:
  std::unique_ptr<Operator> source_;
  std::atomic<std::int64_t>& taken_;
};

TEST_F(ParallelMapStagesTest, ASlowConsumerHoldsBackTheSource) {
  const std::vector<std::string> urls = write_pictures(directory, 120);
  context.threads = 2;
  context.memory_limit = 8 << 20;
  std::atomic<std::int64_t> taken = 0;
  const auto source = [&] {
    return std::make_unique<CountingSource>(source_of(urls, /*morsel_rows=*/2), taken);
  };
  const auto rows = run_from(source(), step(2), [&](const auto& so_far) {
    std::this_thread::sleep_for(milliseconds(3));
    // Five chunks in the window, and one that was just handed on.
    EXPECT_LE(taken - static_cast<std::int64_t>(so_far.size()), 2 * 6);
  });
  expect_vectors(rows, urls);
  EXPECT_GT(context.counters->peak_bytes, 0);
  EXPECT_LE(context.counters->peak_bytes, context.memory_limit);
}

TEST_F(ParallelMapStagesTest, BatchesAreHalvedWhereThereIsNoMemory) {
  const std::vector<std::string> urls = write_pictures(directory, 60);
  std::atomic<std::int64_t> largest_good = 0;
  hook = [&](const std::uint8_t*, std::int64_t rows, float*) {
    if (rows > 2) throw std::bad_alloc();
    largest_good = std::max<std::int64_t>(largest_good, rows);
  };
  expect_vectors(run_from(source_of(urls, /*morsel_rows=*/8), step(8)), urls);
  EXPECT_EQ(largest_good, 2);
  EXPECT_EQ(context.counters->batch_size, 2);
  EXPECT_GE(context.counters->memory_failures, 1);
}

TEST_F(ParallelMapStagesTest, ARowWithoutMemoryOfItsOwnFailsAlone) {
  const std::vector<std::string> urls = write_pictures(directory, 20);
  hook = [&](const std::uint8_t*, std::int64_t rows, float* out) {
    for (std::int64_t i = 0; i < rows; ++i)
      if (out[i * kColourDimension] == expected_vector(7)[0]) throw std::bad_alloc();
  };
  const auto rows = run(urls, step(4));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (i == 7) {
      EXPECT_THAT(rows[i].error, HasSubstr("embed/over_budget: there is no memory"));
    } else {
      EXPECT_EQ(rows[i].vector, expected_vector(static_cast<std::int64_t>(i)));
    }
  }
}

// Vectors by content, and how they are asked for.
class MapCache final : public VectorCache {
 public:
  bool find(const Hash128& content, std::span<float> vector) override {
    std::lock_guard lock(mutex_);
    const auto found = vectors_.find(content);
    if (found == vectors_.end()) return false;
    std::copy(found->second.begin(), found->second.end(), vector.begin());
    return true;
  }
  void store(const Hash128& content, std::span<const float> vector) override {
    std::lock_guard lock(mutex_);
    vectors_[content].assign(vector.begin(), vector.end());
  }
  std::size_t size() const { return vectors_.size(); }

 private:
  std::mutex mutex_;
  std::map<Hash128, std::vector<float>> vectors_;
};

struct CopiesTest : ParallelMapStagesTest {
  CopiesTest() {
    hook = [this](const std::uint8_t*, std::int64_t rows, float*) { embedded += rows; };
    const auto pictures = write_pictures(directory, 10);
    for (std::size_t i = 0; i < 100; ++i) urls.push_back(pictures[i * 7 % 10]);
  }
  void expect_vectors_of_copies(const plan::MapStep& map) {
    const auto rows = run(urls, map);
    for (std::size_t i = 0; i < rows.size(); ++i)
      EXPECT_EQ(rows[i].vector, expected_vector(static_cast<std::int64_t>(i * 7 % 10)))
          << rows[i].error;
  }
  plan::MapStep of_thumbnails() const {
    plan::MapStep map = step();
    auto embed = std::get<plan::EmbedCall>(map.columns[0].node->value);
    embed.argument = call("resize", embed.argument,
                          {{"w", std::int64_t{16}},
                           {"h", std::int64_t{16}},
                           {"fit", std::string("fill")},
                           {"filter", std::string("bilinear")}});
    map.columns[0].node =
        std::make_shared<plan::ExpressionNode>(plan::ExpressionNode{std::move(embed)});
    return map;
  }

  std::atomic<std::int64_t> embedded = 0;
  std::vector<std::string> urls;
};

TEST_F(CopiesTest, PicturesOfTheSameBytesAreEmbeddedOnce) {
  for (const int threads : {1, 4}) {
    context.threads = threads;
    embedded = 0;
    context.counters = std::make_shared<Counters>();
    context.known = std::make_shared<KnownVectorsOfPlan>();
    expect_vectors_of_copies(step(8));
    EXPECT_EQ(embedded, 10);
    EXPECT_EQ(context.counters->duplicates, 90);
    EXPECT_EQ(context.counters->rows_prepared, 10);  // the others are not even decoded
  }
}

// Shards of one plan run one after the other.
TEST_F(CopiesTest, AnotherRunOfTheSameColumnKnowsThemToo) {
  const plan::MapStep column = step();
  for (int shard = 0; shard < 3; ++shard) expect_vectors_of_copies(column);
  EXPECT_EQ(embedded, 10);
  EXPECT_EQ(context.counters->duplicates, 290);
}

TEST_F(CopiesTest, PicturesThatWereWorkedOnAreKnownByTheirPixels) {
  expect_vectors_of_copies(of_thumbnails());
  EXPECT_EQ(embedded, 10);
  EXPECT_EQ(context.counters->duplicates, 90);
}

TEST_F(CopiesTest, CopiesOfAPictureThatFailsFailLikeIt) {
  const std::string text = directory.file("text.bmp");
  write_bytes(text, "not a picture at all");
  urls = {urls[0], text, urls[1], text, text, urls[0]};
  const auto rows = run(urls, step(2));
  for (std::size_t i = 0; i < rows.size(); ++i)
    EXPECT_EQ(rows[i].error.starts_with("decode/unknown_format"), urls[i] == text) << rows[i].error;
  EXPECT_EQ(statistics.failed, 3);
}

TEST_F(CopiesTest, ACacheKnowsThemInTheNextRun) {
  std::map<std::string, std::shared_ptr<MapCache>> caches;  // by preparation
  context.vector_cache = [&](const plan::EmbedCall&, const std::string& preparation) {
    auto& cache = caches[preparation];
    if (cache == nullptr) cache = std::make_shared<MapCache>();
    return cache;
  };
  for (int attempt = 0; attempt < 2; ++attempt) {
    context.known = std::make_shared<KnownVectorsOfPlan>();
    expect_vectors_of_copies(step());
    expect_vectors_of_copies(of_thumbnails());
  }
  EXPECT_EQ(embedded, 20);
  EXPECT_EQ(context.counters->cache_hits, 20);
  ASSERT_EQ(caches.size(), 2u);
  EXPECT_EQ(caches[kAsStored]->size(), 10u);
  EXPECT_EQ(caches["of prepared pixels"]->size(), 10u);
}

TEST_F(CopiesTest, WhatIsDecodedOtherwiseIsKeptApart) {
  plan::EmbedCall embed;
  const auto preparation = [&](const std::string& mode, bool upright, bool fast = false) {
    embed.argument = call("decode_image", nullptr,
                          {{"mode", mode}, {"apply_orientation", upright}, {"fast_decode", fast}});
    return preparation_of(embed);
  };
  EXPECT_EQ(preparation("RGB", true), kUpright);
  EXPECT_EQ(preparation("RGB", false), kAsStored);
  EXPECT_EQ(preparation("L", true), "upright, mode 'L'");
  EXPECT_EQ(preparation("", false), "as stored, mode ''");
  EXPECT_EQ(preparation("RGB", true, true), decoded_fast(kUpright));
  EXPECT_NE(decoded_fast(kUpright), decoded_fast(kAsStored));
}

}  // namespace
}  // namespace vecframe::exec
