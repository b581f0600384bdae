// Kernels of 16-bit values, which the calls of the interface reach only through whole networks,
// against plain loops over the same rounded values. Emulated: threads in both orders.

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "backends/cuda/emulated/host_queue.h"
#include "backends/cuda/enqueue.h"
#include "backends/cuda/kernels/block.h"

namespace vecframe::backends::cuda {
namespace {

struct Case {
  std::vector<std::int64_t> lengths;
  std::int64_t heads, dim;
  bool causal;
};

const Case kCases[] = {
    {{1}, 1, 8, false},         {{5, 5}, 2, 16, false},  {{64}, 1, 64, false},
    {{50, 50}, 2, 64, false},   {{197}, 1, 64, false},   {{65}, 2, 72, false},
    {{70}, 1, 80, false},       {{33}, 1, 88, false},    {{257}, 1, 96, false},
    {{49}, 2, 104, false},      {{130}, 1, 128, false},  {{3, 1, 17}, 2, 24, true},
    {{77, 5, 64}, 2, 64, true}, {{129, 2}, 1, 80, true},
};

template <class T>
std::vector<T> random_halves(std::int64_t count) {
  std::minstd_rand random(7);
  std::vector<T> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(from_float<T>(static_cast<float>(random() % 4001) / 1000.0f - 2));
  return values;
}

// softmax(q k^T * scale) v in double.
template <class T>
std::vector<float> attend(const Case& c, const std::vector<T>& qkv, double scale) {
  const std::int64_t width = c.heads * c.dim;
  std::vector<float> out(qkv.size() / 3);
  const auto at = [&](std::int64_t row, std::int64_t third, std::int64_t column) {
    return double{to_float(qkv[static_cast<std::size_t>((row * 3 + third) * width + column)])};
  };
  std::int64_t begin = 0;
  for (const std::int64_t length : c.lengths) {
    for (std::int64_t i = begin; i < begin + length; ++i) {
      for (std::int64_t h = 0; h < c.heads; ++h) {
        std::vector<double> weights;
        for (std::int64_t j = begin; j < (c.causal ? i + 1 : begin + length); ++j) {
          double score = 0;
          for (std::int64_t d = 0; d < c.dim; ++d)
            score += at(i, 0, h * c.dim + d) * at(j, 1, h * c.dim + d);
          weights.push_back(std::exp(score * scale));
        }
        const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
        for (std::int64_t d = 0; d < c.dim; ++d) {
          double value = 0;
          for (std::size_t j = 0; j < weights.size(); ++j)
            value += weights[j] * at(begin + static_cast<std::int64_t>(j), 2, h * c.dim + d);
          out[static_cast<std::size_t>(i * width + h * c.dim + d)] =
              static_cast<float>(value / sum);
        }
      }
    }
    begin += length;
  }
  return out;
}

template <class T>
std::vector<float> run(const Case& c, std::vector<T> qkv, float scale, Storage storage) {
  const std::int64_t width = c.heads * c.dim;
  std::vector<std::int64_t> starts{0};
  for (const std::int64_t length : c.lengths) starts.push_back(starts.back() + length);
  std::vector<float> out(qkv.size() / 3, std::nanf(""));
  // The kernels ask for 16 bytes.
  std::vector<std::max_align_t> aligned(qkv.size() * sizeof(T) / sizeof(std::max_align_t) + 1);
  std::memcpy(aligned.data(), qkv.data(), qkv.size() * sizeof(T));
  AttentionArgs args{};
  args.qkv = {aligned.data(), 3 * width, storage};
  args.out = {out.data(), width, Storage::kFloat};
  args.heads = c.heads;
  args.head_dim = c.dim;
  args.sequences.starts = starts.data();
  args.scale = scale;
  args.causal = c.causal;
  EXPECT_TRUE(attends_by_tensor(c.dim, 3 * width, aligned.data()));
  HostQueue queue;
  enqueue_attention(&queue, args, static_cast<std::int64_t>(c.lengths.size()),
                    *std::max_element(c.lengths.begin(), c.lengths.end()));
  queue.finish();
  return out;
}

template <class T>
void expect_attention(Storage storage, float tolerance) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(testing::Message() << c.lengths.front() << " x " << c.heads << " x " << c.dim);
    const std::int64_t rows = std::accumulate(c.lengths.begin(), c.lengths.end(), std::int64_t{0});
    const auto qkv = random_halves<T>(rows * 3 * c.heads * c.dim);
    const float scale = 1 / std::sqrt(static_cast<float>(c.dim));
    const std::vector<float> want = attend(c, qkv, scale);
    const std::vector<float> got = run(c, qkv, scale, storage);
    for (std::size_t i = 0; i < want.size(); ++i)
      ASSERT_NEAR(got[i], want[i], tolerance) << "value " << i;
    host_order_is_reversed = true;
    EXPECT_EQ(run(c, qkv, scale, storage), got) << "depends on the order of threads";
    host_order_is_reversed = false;
  }
}

// Weights are rounded to 8 and 11 bits, and are at most 1 together; values are at most 2.
TEST(CudaKernels, AttentionOnTensorCoresIsThatOfItsRoundedInputs) {
  expect_attention<Bf16>(Storage::kBf16, 0x1p-8f);
  expect_attention<F16>(Storage::kF16, 0x1p-11f);
}

TEST(CudaKernels, AttentionHidesNoNaNAndKeepsItInItsSequence) {
  const Case c{{20, 30}, 1, 16, false};
  auto qkv = random_halves<Bf16>(50 * 48);
  qkv[3] = from_float<Bf16>(std::nanf(""));  // a query of the first row
  const std::vector<float> out = run(c, qkv, 0.25f, Storage::kBf16);
  for (std::size_t i = 0; i < out.size(); ++i) EXPECT_EQ(std::isnan(out[i]), i < 16) << i;
}

TEST(CudaKernels, LargeScoresDoNotOverflow) {
  const Case c{{70}, 1, 64, false};
  auto qkv = random_halves<F16>(70 * 192);
  const std::vector<float> out = run(c, qkv, 50.0f, Storage::kF16);
  for (const float value : out) EXPECT_TRUE(std::isfinite(value));
}

// Every thread gives a number to its neighbour, with and without a barrier between.
template <bool kWaits>
struct Neighbours {
  static constexpr int kThreads = 64;
  struct Shared {
    float values[kThreads];
  };
  float* out;

  template <class B>
  void run(B& block) const {
    Shared& s = block.shared();
    const auto give = [&](int t) { s.values[t] = static_cast<float>(t); };
    if (kWaits) {
      block.each(give);
    } else {
      block.each_alone(give);
    }
    block.each([&](int t) { out[t] = s.values[(t + 1) % kThreads]; });
  }
};

struct AllToOnePlace {
  static constexpr int kThreads = 64;
  struct Shared {
    float value;
  };

  template <class B>
  void run(B& block) const {
    block.each([&](int t) { block.shared().value = static_cast<float>(t); });
  }
};

class CheckedBarriers : public testing::Test {
 protected:
  void SetUp() override { host_barriers_are_checked = true; }
  void TearDown() override { host_barriers_are_checked = false; }
};

TEST_F(CheckedBarriers, AMissingOneShows) {
  std::vector<float> out(64);
  run_on_host(Neighbours<true>{out.data()}, 1);
  for (std::size_t t = 0; t < 64; ++t) EXPECT_EQ(out[t], static_cast<float>((t + 1) % 64));
  run_on_host(Neighbours<false>{out.data()}, 1);
  for (std::size_t t = 0; t < 64; ++t) EXPECT_TRUE(std::isnan(out[t])) << t;
  EXPECT_THROW(run_on_host(AllToOnePlace{}, 1), std::logic_error);
}

TEST_F(CheckedBarriers, AttentionOnTensorCoresHasThemAll) {
  for (const Case& c : {Case{{70}, 1, 32, false}, Case{{130, 3}, 1, 64, true}}) {
    const std::int64_t rows = std::accumulate(c.lengths.begin(), c.lengths.end(), std::int64_t{0});
    const auto qkv = random_halves<Bf16>(rows * 3 * c.heads * c.dim);
    const std::vector<float> got = run(c, qkv, 0.125f, Storage::kBf16);
    host_barriers_are_checked = false;
    EXPECT_EQ(got, run(c, qkv, 0.125f, Storage::kBf16));
    host_barriers_are_checked = true;
  }
}

TEST(HostAlignment, IsThatOfTheGpu) {
  alignas(16) const Bf16 values[24] = {};
  alignas(16) Bf16 to[8] = {};
  EXPECT_NO_THROW(copy16(values + 8, to));
  EXPECT_THROW(copy16(values + 4, to), std::logic_error);
  EXPECT_NO_THROW(load2(values + 2));
  EXPECT_THROW(load2(values + 1), std::logic_error);
}

}  // namespace
}  // namespace vecframe::backends::cuda
