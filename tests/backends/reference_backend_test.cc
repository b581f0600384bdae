// The oracle against values worked out by hand.

#include "backends/reference/reference_backend.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace vecframe::backends::reference {
namespace {

using compute::Activation;
using compute::FeatureMap;
using compute::Matrix;

class ReferenceBackend : public testing::Test {
 protected:
  std::shared_ptr<compute::Backend> backend_ = make_reference_backend();
  std::unique_ptr<compute::Stream> stream_ = backend_->make_stream();
};

TEST_F(ReferenceBackend, LinearIsXTimesTheTransposePlusBias) {
  const std::vector<float> weight = {1, 2, 3, 4, 5, 6}, bias = {10, 20};
  const auto linear =
      backend_->pack(compute::LinearWeights{weight, bias, 3, 2}, tensor::Precision::kFp32);
  std::vector<float> x = {1, 0, -1}, y(2), residual = {100, 200};
  stream_->linear(*linear, {x.data(), 1, 3, 3}, Activation::kRelu6, {residual.data(), 1, 2, 2},
                  {y.data(), 1, 2, 2});
  EXPECT_EQ(y, (std::vector<float>{106, 206}));  // min(8, 6) + 100, min(18, 6) + 200
}

TEST_F(ReferenceBackend, Bf16RoundsBothInputs) {
  const std::vector<float> weight = {1.0f + 1.0f / 256};  // a tie; even is 1
  const auto linear =
      backend_->pack(compute::LinearWeights{weight, {}, 1, 1}, tensor::Precision::kBf16);
  float x = 1.0f + 3.0f / 256, y = 0;  // a tie; even is 1 + 4/256
  stream_->linear(*linear, {&x, 1, 1, 1}, Activation::kNone, {}, {&y, 1, 1, 1});
  EXPECT_EQ(y, 1.0f + 4.0f / 256);
}

TEST_F(ReferenceBackend, AttentionWeighsValuesBySoftmax) {
  // Two tokens, one head of width 1: q = (1, 0), k = (0, ln 3), v = (4, 8).
  std::vector<float> qkv = {1, 0, 4, 0, std::log(3.0f), 8}, out(2);
  stream_->attention({qkv.data(), 2, 3, 3}, 1, 1, 1.0f, tensor::Precision::kFp32,
                     {out.data(), 2, 1, 1});
  EXPECT_NEAR(out[0], 0.25 * 4 + 0.75 * 8, 1e-6);
  EXPECT_NEAR(out[1], 6, 1e-6);
}

TEST_F(ReferenceBackend, ConvolutionPadsWithZeroBeforeAndAfter) {
  const std::vector<float> weight = {1, 10, 100, 1000};  // 2 x 2
  compute::ConvolutionWeights weights;
  weights.weight = weight;
  weights.in_channels = weights.out_channels = 1;
  weights.kernel = 2;
  weights.pad_after = 1;
  const auto convolution = backend_->pack(weights, tensor::Precision::kFp32);
  std::vector<float> x = {1, 2, 3, 4}, y(4);
  stream_->convolve(*convolution, {x.data(), 1, 2, 2, 1}, {}, {y.data(), 1, 2, 2, 1});
  EXPECT_EQ(y, (std::vector<float>{4321, 402, 43, 4}));
}

TEST_F(ReferenceBackend, ActivationsAtOne) {
  const std::vector<float> weight = {1};
  const auto linear =
      backend_->pack(compute::LinearWeights{weight, {}, 1, 1}, tensor::Precision::kFp32);
  const auto at_one = [&](Activation activation) {
    float x = 1, y = 0;
    stream_->linear(*linear, {&x, 1, 1, 1}, activation, {}, {&y, 1, 1, 1});
    return y;
  };
  EXPECT_NEAR(at_one(Activation::kQuickGelu), 0.8457957659, 1e-7);
  EXPECT_NEAR(at_one(Activation::kGeluErf), 0.8413447461, 1e-7);
  EXPECT_NEAR(at_one(Activation::kGeluTanh), 0.8411919906, 1e-7);
  EXPECT_NEAR(at_one(Activation::kSilu), 0.7310585786, 1e-7);
  EXPECT_NEAR(at_one(Activation::kTanh), 0.7615941560, 1e-7);
}

}  // namespace
}  // namespace vecframe::backends::reference
