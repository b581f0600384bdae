#include "exec/embed_batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <stdexcept>
#include <vector>

namespace vecframe::exec {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

/// Vector of a slot: its byte and its byte plus one. Throws for slots of the given bytes.
class PickyLane final : public embed::EmbedLane {
 public:
  explicit PickyLane(std::set<int> refused) : refused_(std::move(refused)) {}
  void embed(const std::uint8_t* pixels, std::int64_t count, float* out) override {
    ++num_calls;
    for (std::int64_t i = 0; i < count; ++i) {
      if (refused_.contains(pixels[i])) throw std::invalid_argument("refused");
      out[2 * i] = pixels[i];
      out[2 * i + 1] = static_cast<float>(pixels[i]) + 1;
    }
  }
  int num_calls = 0;

 private:
  const std::set<int> refused_;
};

std::vector<std::int64_t> failures_of(const std::set<int>& refused, std::int64_t count) {
  PickyLane lane(refused);
  std::vector<std::uint8_t> pixels;
  for (std::int64_t i = 0; i < count; ++i) pixels.push_back(static_cast<std::uint8_t>(i));
  std::vector<float> out(static_cast<std::size_t>(count * 2), -1);
  std::vector<std::int64_t> failed;
  embed_batch(
      lane, pixels.data(), count, /*slot_bytes=*/1, /*dimension=*/2, out.data(),
      [&](std::int64_t index, const RowError& error) {
        EXPECT_EQ(error.to_string(), "embed/embedder_failed: refused");
        failed.push_back(index);
      },
      [] { return true; });
  for (std::int64_t i = 0; i < count; ++i) {
    if (refused.contains(static_cast<int>(i))) continue;
    EXPECT_EQ(out[static_cast<std::size_t>(2 * i)], static_cast<float>(i));
    EXPECT_EQ(out[static_cast<std::size_t>(2 * i + 1)], static_cast<float>(i + 1));
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
  PickyLane lane({});
  const std::uint8_t pixels[4] = {};
  float out[8];
  embed_batch(
      lane, pixels, 4, 1, 2, out, [](std::int64_t, const RowError&) {}, [] { return true; });
  EXPECT_EQ(lane.num_calls, 1);
}

TEST(EmbedBatchTest, StopsWhenToldTo) {
  PickyLane lane({0, 1, 2, 3});
  const std::uint8_t pixels[4] = {};
  float out[8];
  embed_batch(
      lane, pixels, 4, 1, 2, out, [](std::int64_t, const RowError&) {},
      [&] { return lane.num_calls < 2; });
  EXPECT_EQ(lane.num_calls, 2);
}

TEST(CheckVectorTest, FindsWhatIsNotFinite) {
  const std::vector<float> good{0, -1, 3e38f};
  EXPECT_FALSE(check_vector(good));
  const std::vector<float> nan{0, std::nanf("")};
  EXPECT_EQ(check_vector(nan)->to_string(), "embed/bad_output: value 1 of the vector is NaN");
  const std::vector<float> infinite{-HUGE_VALF, 0};
  EXPECT_EQ(check_vector(infinite)->to_string(),
            "embed/bad_output: value 0 of the vector is infinite");
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
