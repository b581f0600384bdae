#include "exec/embed_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <new>
#include <set>
#include <stdexcept>
#include <vector>

namespace vecframe::exec {
namespace {

using testing::ElementsAre;

/// Vector of a row: its number. Throws for a batch that holds one of the given rows.
class PickyEmbedder {
 public:
  explicit PickyEmbedder(std::set<std::int64_t> refused, std::int64_t count)
      : out(static_cast<std::size_t>(count), -1), refused_(std::move(refused)) {}
  void operator()(std::int64_t first, std::int64_t count) {
    ++num_calls;
    for (std::int64_t row = first; row < first + count; ++row) {
      if (refused_.contains(row)) throw std::invalid_argument("refused");
      out[static_cast<std::size_t>(row)] = row;
    }
  }
  std::vector<std::int64_t> out;
  int num_calls = 0;

 private:
  const std::set<std::int64_t> refused_;
};

std::vector<std::int64_t> failures_of(const std::set<std::int64_t>& refused, std::int64_t count) {
  PickyEmbedder embedder(refused, count);
  std::vector<std::int64_t> failed;
  BatchSizer sizer(count, false);
  embed_batch(
      count, sizer, std::ref(embedder),
      [&](std::int64_t index, const RowError& error) {
        EXPECT_EQ(error.to_string(), "embed/embedder_failed: refused");
        failed.push_back(index);
      },
      [] { return true; });
  for (std::int64_t row = 0; row < count; ++row) {
    if (refused.contains(row)) continue;
    EXPECT_EQ(embedder.out[static_cast<std::size_t>(row)], row);
  }
  return failed;
}

TEST(EmbedBatchTest, HalvesABatchDownToTheRowsAtFault) {
  EXPECT_THAT(failures_of({}, 7), ElementsAre());
  EXPECT_THAT(failures_of({0}, 1), ElementsAre(0));
  EXPECT_THAT(failures_of({3}, 7), ElementsAre(3));
  EXPECT_THAT(failures_of({0, 6}, 7), ElementsAre(0, 6));
  EXPECT_THAT(failures_of({0, 1, 2, 3, 4}, 5), ElementsAre(0, 1, 2, 3, 4));
}

TEST(EmbedBatchTest, AGoodBatchIsOneCall) {
  PickyEmbedder embedder({}, 4);
  BatchSizer sizer(4, false);
  const std::int64_t retries = embed_batch(
      4, sizer, std::ref(embedder), [](std::int64_t, const RowError&) {}, [] { return true; });
  EXPECT_EQ(embedder.num_calls, 1);
  EXPECT_EQ(retries, 0);
}

TEST(EmbedBatchTest, StopsWhenToldTo) {
  PickyEmbedder embedder({0, 1, 2, 3}, 4);
  BatchSizer sizer(4, false);
  embed_batch(
      4, sizer, std::ref(embedder), [](std::int64_t, const RowError&) {},
      [&] { return embedder.num_calls < 2; });
  EXPECT_EQ(embedder.num_calls, 2);
}

// Embeds no more than so many rows at a time, and some not even alone.
struct SmallMemory {
  std::int64_t room = 0;
  std::set<std::int64_t> too_large = {};
  std::vector<std::int64_t> calls = {}, embedded = {};
  void operator()(std::int64_t first, std::int64_t count) {
    calls.push_back(count);
    if (count > room) throw std::bad_alloc();
    for (std::int64_t row = first; row < first + count; ++row)
      if (too_large.contains(row)) throw std::bad_alloc();
    for (std::int64_t row = first; row < first + count; ++row) embedded.push_back(row);
  }
};

TEST(EmbedBatchTest, HalvesForGoodWhereThereIsNoMemory) {
  BatchSizer sizer(16, false);
  SmallMemory embedder{.room = 5};
  const auto never = [](std::int64_t, const RowError& error) { FAIL() << error.to_string(); };
  const auto embed = [&](std::int64_t count) {
    embedder.calls.clear();
    embedder.embedded.clear();
    return embed_batch(count, sizer, std::ref(embedder), never, [] { return true; });
  };
  EXPECT_EQ(embed(16), 5);  // 16, 8, 4, 4, 4, 4: all calls but the first
  EXPECT_EQ(embedder.embedded.size(), 16u);
  EXPECT_EQ(sizer.size(), 4);
  EXPECT_EQ(sizer.halvings(), 2);
  EXPECT_EQ(embed(16), 0);
  EXPECT_THAT(embedder.calls, ElementsAre(4, 4, 4, 4));
  EXPECT_EQ(embed(6), 0);
  EXPECT_THAT(embedder.calls, ElementsAre(4, 2));
  EXPECT_THAT(embedder.embedded, ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(EmbedBatchTest, ARowThatFindsNoMemoryAloneFails) {
  BatchSizer sizer(4, false);
  SmallMemory embedder{.room = 4, .too_large = {2}};
  std::vector<std::int64_t> failed;
  embed_batch(
      4, sizer, std::ref(embedder),
      [&](std::int64_t index, const RowError& error) {
        EXPECT_EQ(error.to_string(),
                  "embed/over_budget: there is no memory to embed this row: std::bad_alloc");
        failed.push_back(index);
      },
      [] { return true; });
  EXPECT_THAT(failed, ElementsAre(2));
  EXPECT_THAT(embedder.embedded, ElementsAre(0, 1, 3));
  EXPECT_EQ(sizer.size(), 1);
}

TEST(KeepVectorTest, RefusesWhatIsNotFinite) {
  std::vector<float> kept(2);
  const std::vector<float> good{0, -1, 3e38f};
  EXPECT_FALSE(keep_vector(good, {}, kept));
  EXPECT_THAT(kept, ElementsAre(0, -1));
  const std::vector<float> nan{0, 1, std::nanf("")};  // also where it would be cut off
  EXPECT_EQ(keep_vector(nan, {}, kept)->to_string(),
            "embed/bad_output: value 2 of the vector is NaN");
  const std::vector<float> infinite{-HUGE_VALF, 0};
  EXPECT_EQ(keep_vector(infinite, {}, kept)->to_string(),
            "embed/bad_output: value 0 of the vector is infinite");
}

TEST(KeepVectorTest, CutsFirstAndNormalisesThen) {
  std::vector<float> kept(2);
  const std::vector<float> vector{3, 4, 1000};
  VectorForm form;
  form.normalize = true;
  EXPECT_FALSE(keep_vector(vector, form, kept));
  EXPECT_THAT(kept, ElementsAre(0.6f, 0.8f));
}

TEST(KeepVectorTest, RefusesWhatTheColumnCannotHold) {
  std::vector<float> kept(2);
  VectorForm form;
  form.element = tensor::DType::kF16;
  EXPECT_FALSE(keep_vector(std::vector<float>{-65504, 1}, form, kept));
  EXPECT_EQ(keep_vector(std::vector<float>{1, -65505}, form, kept)->to_string(),
            "embed/bad_output: value 1 of the vector is beyond float16");
  form.normalize = true;
  EXPECT_FALSE(keep_vector(std::vector<float>{1e6f, 1e6f}, form, kept));
}

TEST(NormalizeVectorTest, DividesByTheNorm) {
  std::vector<float> vector{3, 0, -4};
  normalize_vector(vector);
  EXPECT_THAT(vector, ElementsAre(0.6f, 0.0f, -0.8f));
  std::vector<float> zeros{0, 0};
  normalize_vector(zeros);
  EXPECT_THAT(zeros, ElementsAre(0, 0));
  std::vector<float> large{3e38f, 3e38f};  // whose squares are no float32
  normalize_vector(large);
  EXPECT_FLOAT_EQ(large[0], std::sqrt(0.5f));
}

}  // namespace
}  // namespace vecframe::exec
