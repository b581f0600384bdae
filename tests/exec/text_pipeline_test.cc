#include "exec/text_pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <deque>
#include <functional>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "exec/text_memory.h"

namespace vecframe::exec {
namespace {

using storage::TextRow;
using testing::ElementsAre;
using testing::HasSubstr;
using Outcome = storage::TextSource::Outcome;

constexpr std::int64_t kDimension = 4;

/// Length, sum of bytes, first byte, last byte.
std::vector<float> vector_of(std::string_view text) {
  float sum = 0;
  for (const char c : text) sum += static_cast<float>(static_cast<unsigned char>(c));
  const auto edge = [&](bool first) {
    return text.empty() ? 0.0f : static_cast<float>(first ? text.front() : text.back());
  };
  return {static_cast<float>(text.size()), sum, edge(true), edge(false)};
}

class ByteEmbedder final : public embed::TextEmbedder {
 public:
  using Hook = std::function<void(std::span<const std::string_view>)>;
  explicit ByteEmbedder(Hook hook = {}) : hook_(std::move(hook)) {}

  std::unique_ptr<embed::TextEmbedLane> make_lane() override {
    return std::make_unique<Lane>(*this);
  }
  std::int64_t lane_bytes(std::int64_t batch) const override { return 1024 + 64 * batch; }
  std::atomic<int> num_calls = 0;
  std::atomic<std::size_t> largest_batch = 0;

 private:
  class Lane final : public embed::TextEmbedLane {
   public:
    explicit Lane(ByteEmbedder& embedder) : embedder_(embedder) {}
    void embed(std::span<const std::string_view> texts, float* out) override {
      ++embedder_.num_calls;
      if (texts.size() > embedder_.largest_batch) embedder_.largest_batch = texts.size();
      if (embedder_.hook_) embedder_.hook_(texts);
      for (const std::string_view text : texts)
        for (const float value : vector_of(text)) *out++ = value;
    }

   private:
    ByteEmbedder& embedder_;
  };
  Hook hook_;
};

class VectorSource final : public storage::TextSource {
 public:
  explicit VectorSource(std::vector<std::string> texts) : texts_(std::move(texts)) {}
  Outcome next(TextRow& row, std::chrono::milliseconds) override {
    if (hook) hook(next_);
    if (next_ == texts_.size()) return Outcome::kEnd;
    row = {"line " + std::to_string(next_ + 1), texts_[next_], {}};
    if (row.text == "<bad>") row.error = RowError{Stage::kRead, ErrorCode::kCorrupt, "no text"};
    ++next_;
    return Outcome::kRow;
  }
  std::function<void(std::size_t)> hook;
  std::size_t num_taken() const { return next_; }

 private:
  const std::vector<std::string> texts_;
  std::size_t next_ = 0;
};

struct KeptRow {
  std::string path, text, error;
  std::vector<float> embedding;
};

class KeepingSink final : public RowSink {
 public:
  void write(const Row& row) override {
    if (hook) hook(row);
    rows.push_back({row.path,
                    row.text,
                    row.error ? row.error->to_string() : "",
                    {row.embedding.begin(), row.embedding.end()}});
  }
  std::int64_t max_buffered_bytes() const override { return 1 << 16; }
  std::function<void(const Row&)> hook;
  std::vector<KeptRow> rows;
};

PipelineOptions test_options(int threads = 3, std::int64_t batch_size = 5) {
  PipelineOptions options;
  options.threads = threads;
  options.batch_size = batch_size;
  options.memory_limit = 64 << 20;
  options.on_error = OnError::kIgnore;
  return options;
}

std::vector<std::string> numbered(std::size_t count) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < count; ++i)
    texts.push_back(std::string(i % 7, 'x') + std::to_string(i));
  return texts;
}

struct TextPipelineTest : testing::Test {
  std::shared_ptr<ByteEmbedder> embedder = std::make_shared<ByteEmbedder>();
  KeepingSink sink;
  CancellationToken never;

  Statistics run(storage::TextSource& source, const PipelineOptions& options = test_options(),
                 const FailureCallback& failure = {}) {
    return run_texts(source, TextStage{embedder, kDimension}, sink, options, never, {}, failure);
  }
};

TEST_F(TextPipelineTest, GivesEachTextItsVectorInOrder) {
  const std::vector<std::string> texts = numbered(1234);
  for (const int threads : {1, 3, 8}) {
    sink.rows.clear();
    VectorSource source(texts);
    const Statistics statistics = run(source, test_options(threads));
    ASSERT_EQ(sink.rows.size(), texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      EXPECT_EQ(sink.rows[i].text, texts[i]);
      EXPECT_EQ(sink.rows[i].embedding, vector_of(texts[i]));
    }
    EXPECT_EQ(statistics.rows, 1234);
    EXPECT_EQ(statistics.failed, 0);
    EXPECT_EQ(statistics.listed, 1234);
    EXPECT_TRUE(statistics.listing_done);
    EXPECT_EQ(statistics.batches, 247);
  }
  EXPECT_LE(embedder->largest_batch, 5u);
}

TEST_F(TextPipelineTest, SoManyEmbedAtATimeAndOrderIsKept) {
  std::atomic<int> embedding = 0, most = 0;
  embedder = std::make_shared<ByteEmbedder>([&](std::span<const std::string_view>) {
    const int now = ++embedding;
    most = std::max<int>(most, now);
    std::this_thread::yield();
    --embedding;
  });
  const std::vector<std::string> texts = numbered(300);
  VectorSource source(texts);
  PipelineOptions options = test_options(4);
  options.stages.embed = 2;
  options.ordered = false;
  const Statistics statistics = run(source, options);
  EXPECT_LE(most, 2);
  EXPECT_EQ(statistics.concurrency.lanes, 2);
  ASSERT_EQ(sink.rows.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(sink.rows[i].text, texts[i]);
}

TEST_F(TextPipelineTest, BatchesAreHalvedWhereThereIsNoMemory) {
  embedder = std::make_shared<ByteEmbedder>([](std::span<const std::string_view> texts) {
    if (texts.size() > 2) throw std::bad_alloc();
  });
  const std::vector<std::string> texts = numbered(100);
  VectorSource source(texts);
  const Statistics statistics = run(source, test_options(2, 8));
  ASSERT_EQ(sink.rows.size(), texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i)
    EXPECT_EQ(sink.rows[i].embedding, vector_of(texts[i]));
  EXPECT_EQ(statistics.batch_size, 2);
  EXPECT_GE(statistics.memory_failures, 1);
}

TEST_F(TextPipelineTest, NoTextsAreNoRows) {
  VectorSource source({});
  EXPECT_EQ(run(source).rows, 0);
  EXPECT_EQ(embedder->num_calls, 0);
}

TEST_F(TextPipelineTest, ARowThatFailsCostsOneRow) {
  embedder = std::make_shared<ByteEmbedder>([](std::span<const std::string_view> texts) {
    for (const std::string_view text : texts)
      if (text == "<refused>") throw std::runtime_error("not this one");
  });
  VectorSource source({"a", "<bad>", "b", "<refused>", "c"});
  std::vector<std::string> logged;
  PipelineOptions options = test_options(2, 5);
  options.on_error = OnError::kLog;
  const Statistics statistics =
      run(source, options, [&](const Row& row) { logged.push_back(row.path); });
  ASSERT_EQ(sink.rows.size(), 5u);
  EXPECT_EQ(sink.rows[1].error, "read/corrupt: no text");
  EXPECT_EQ(sink.rows[3].error, "embed/embedder_failed: not this one");
  for (const std::size_t good : {0u, 2u, 4u}) {
    EXPECT_EQ(sink.rows[good].error, "");
    EXPECT_EQ(sink.rows[good].embedding, vector_of(sink.rows[good].text));
  }
  EXPECT_TRUE(sink.rows[1].embedding.empty());
  EXPECT_EQ(statistics.failed, 2);
  EXPECT_EQ(statistics.failures.at("read/corrupt"), 1);
  EXPECT_THAT(logged, ElementsAre("line 2", "line 4"));
}

TEST_F(TextPipelineTest, RaiseNamesTheFirstRow) {
  VectorSource source({"a", "<bad>", "<bad>"});
  PipelineOptions options = test_options();
  options.on_error = OnError::kRaise;
  try {
    run(source, options);
    FAIL();
  } catch (const RunError& error) {
    EXPECT_STREQ(error.what(), "line 2: read/corrupt: no text");
  }
}

TEST_F(TextPipelineTest, KeepsTheFirstDimensionsAndNormalisesThem) {
  VectorSource source({"ab"});
  PipelineOptions options = test_options();
  options.vector.dimensions = 2;
  options.vector.normalize = true;
  run(source, options);
  const float norm = std::sqrt(2.0f * 2 + 195.0f * 195);
  ASSERT_EQ(sink.rows[0].embedding.size(), 2u);
  EXPECT_FLOAT_EQ(sink.rows[0].embedding[0], 2 / norm);
  EXPECT_FLOAT_EQ(sink.rows[0].embedding[1], 195 / norm);
  for (const std::int64_t wrong : {0, 5, -1}) {
    options.vector.dimensions = wrong;
    EXPECT_THROW(run(source, options), RequestError);
  }
}

TEST_F(TextPipelineTest, WithoutAnEmbedderTextsPass) {
  VectorSource source({"a", "<bad>", ""});
  const Statistics statistics = run_texts(source, std::nullopt, sink, test_options(), never);
  EXPECT_EQ(statistics.rows, 3);
  EXPECT_EQ(sink.rows[2].text, "");
  EXPECT_TRUE(sink.rows[0].embedding.empty());
}

TEST_F(TextPipelineTest, TheLimitIsNotOverrun) {
  VectorSource source(numbered(100));
  PipelineOptions options = test_options();
  options.limit = 12;
  EXPECT_EQ(run(source, options).rows, 12);
  EXPECT_EQ(source.num_taken(), 12u);
}

TEST_F(TextPipelineTest, RunsOnlyAWindowAheadOfTheSink) {
  VectorSource source(numbered(2000));
  const PipelineOptions options = test_options(2, 5);
  std::atomic<std::size_t> written = 0;  // the source is read on other threads
  std::size_t furthest = 0;
  sink.hook = [&](const Row&) {
    if (written == 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ++written;
  };
  source.hook = [&](std::size_t taken) {
    if (written == 0) furthest = taken;
  };
  run(source, options);
  EXPECT_LE(furthest, 5u * 5);  // 2 * threads + 1 chunks of 5
}

// Gives a text whenever the test says so, and says that it waits in between.
class SlowSource final : public storage::TextSource {
 public:
  Outcome next(TextRow& row, std::chrono::milliseconds) override {
    std::unique_lock lock(mutex_);
    if (!texts_.empty()) {
      row = {"line", texts_.front(), {}};
      texts_.pop_front();
      return Outcome::kRow;
    }
    if (ended_) return Outcome::kEnd;
    lock.unlock();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return Outcome::kWaiting;
  }
  void give(std::string text) {
    std::lock_guard lock(mutex_);
    texts_.push_back(std::move(text));
  }
  void end() {
    std::lock_guard lock(mutex_);
    ended_ = true;
  }

 private:
  std::mutex mutex_;
  std::deque<std::string> texts_;
  bool ended_ = false;
};

TEST_F(TextPipelineTest, ASlowSourceDoesNotHoldBackWhatHasCome) {
  SlowSource source;
  source.give("first");
  // The next text comes only after the first one's vector: a full batch would never.
  sink.hook = [&](const Row& row) {
    if (row.text == "first") source.give("second");
    if (row.text == "second") source.end();
  };
  EXPECT_EQ(run(source).rows, 2);
}

TEST_F(TextPipelineTest, StopsWhileTheSourceWaits) {
  SlowSource source;
  CancellationToken cancellation;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    cancellation.cancel();
  });
  EXPECT_THROW(
      run_texts(source, TextStage{embedder, kDimension}, sink, test_options(), cancellation),
      Cancelled);
  canceller.join();
}

TEST_F(TextPipelineTest, ASourceThatBreaksOffEndsTheRun) {
  VectorSource source(numbered(100));
  source.hook = [](std::size_t taken) {
    if (taken == 50) throw RunError("the disk is gone");
  };
  EXPECT_THROW(run(source), RunError);
}

TEST_F(TextPipelineTest, ASinkThatThrowsEndsTheRun) {
  VectorSource source(numbered(100));
  sink.hook = [](const Row& row) {
    if (row.path == "line 10") throw RunError("full");
  };
  EXPECT_THROW(run(source), RunError);
}

TEST(TextMemoryPlan, TakesTheLargestBatchThatFits) {
  TextMemoryRequest request;
  request.memory_limit = 512 << 20;
  request.threads = 2;
  request.dimension = 512;
  request.lane_bytes = [](std::int64_t batch) { return batch << 20; };
  EXPECT_EQ(plan_text_memory(request).batch_size, kMaximumTextBatch);
  EXPECT_LE(plan_text_memory(request).fixed_bytes, request.memory_limit);
  request.memory_limit = 40 << 20;
  EXPECT_EQ(plan_text_memory(request).batch_size, 16);
  request.batch_size = 17;
  EXPECT_THROW(plan_text_memory(request), RequestError);
}

TEST(TextMemoryPlan, GivesUpThreadsOnlyIfItMay) {
  TextMemoryRequest request;
  request.memory_limit = 16 << 20;
  request.threads = 8;
  request.threads_may_fall = true;
  request.lane_bytes = [](std::int64_t) { return std::int64_t{3} << 20; };
  EXPECT_EQ(plan_text_memory(request).threads, 2);
  request.threads_may_fall = false;
  try {
    plan_text_memory(request);
    FAIL();
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("too small: this model needs at least 70"));
  }
}

}  // namespace
}  // namespace vecframe::exec
