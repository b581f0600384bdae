#include <gtest/gtest.h>

#include "device.h"

namespace vecframe::contract {
namespace {

using compute::Activation;
using compute::FeatureMap;
using tensor::Precision;

struct Case {
  std::int64_t batch, height, width, in, out, kernel, stride, before, after;
  bool depthwise;
  Activation activation;
  bool residual;
  bool activates_sum = false;
};

constexpr Case kCases[] = {
    {2, 7, 9, 32, 16, 1, 1, 0, 0, false, Activation::kNone, false},
    {1, 5, 6, 17, 17, 1, 1, 0, 0, false, Activation::kRelu6, true},
    {1, 8, 8, 8, 24, 1, 2, 0, 0, false, Activation::kNone, false},
    {2, 17, 19, 3, 32, 3, 2, 0, 1, false, Activation::kRelu6, false},
    {1, 9, 9, 3, 10, 3, 2, 1, 1, false, Activation::kSilu, false},
    {1, 6, 5, 4, 7, 5, 1, 2, 2, false, Activation::kRelu, false},
    {1, 2, 3, 2, 3, 5, 1, 2, 2, false, Activation::kNone, false},
    {2, 14, 15, 32, 32, 3, 1, 1, 1, true, Activation::kRelu6, false},
    {1, 15, 17, 19, 19, 3, 2, 1, 1, true, Activation::kNone, false},
    {1, 14, 14, 48, 48, 5, 2, 1, 2, true, Activation::kRelu6, false},
    {1, 11, 13, 33, 33, 5, 1, 2, 2, true, Activation::kGeluErf, true},
    {1, 2, 3, 20, 20, 5, 1, 2, 2, true, Activation::kNone, false},
    {1, 9, 30, 16, 16, 7, 1, 3, 3, true, Activation::kNone, true},
    {2, 7, 7, 24, 24, 7, 1, 3, 3, true, Activation::kNone, false},
    {1, 3, 1, 18, 18, 7, 1, 3, 3, true, Activation::kNone, false},
    {1, 10, 22, 35, 35, 7, 1, 2, 4, true, Activation::kNone, false},
    {1, 9, 15, 9, 9, 7, 2, 3, 3, true, Activation::kSilu, false},
    {1, 4, 29, 8, 8, 3, 1, 0, 0, true, Activation::kNone, false},
    {2, 6, 7, 21, 34, 3, 1, 1, 1, false, Activation::kRelu, true, true},
    {1, 5, 5, 16, 40, 1, 1, 0, 0, false, Activation::kGeluErf, true, true},
    {1, 6, 8, 19, 19, 3, 1, 1, 1, true, Activation::kRelu, true, true},
    {1, 23, 25, 3, 12, 7, 2, 3, 3, false, Activation::kRelu, false},
    {1, 13, 14, 3, 18, 4, 4, 0, 0, false, Activation::kNone, false},
};

Values run_convolution(Device& device, Precision precision, const Case& c, std::int64_t batch,
                       bool magnitude) {
  const std::int64_t groups = c.depthwise ? c.in : 1;
  Values weight = random_values(c.out * (c.in / groups) * c.kernel * c.kernel, 31);
  Values x = random_values(c.batch * c.height * c.width * c.in, 32);
  Values bias = random_values(c.out, 33);
  if (magnitude) weight = absolute(weight), x = absolute(x), bias = absolute(bias);
  compute::ConvolutionWeights weights{weight,   bias,         c.in,           c.out,
                                      c.kernel, c.stride,     groups,         c.before,
                                      c.after,  c.activation, c.activates_sum};
  if (magnitude) weights.activation = Activation::kNone;
  const auto convolution = device.backend().pack(weights, precision);
  const std::int64_t out_height = (c.height + c.before + c.after - c.kernel) / c.stride + 1;
  const std::int64_t out_width = (c.width + c.before + c.after - c.kernel) / c.stride + 1;
  const std::int64_t size = out_height * out_width * c.out;
  x.resize(static_cast<std::size_t>(batch * c.height * c.width * c.in));
  Values residual = random_values(c.batch * size, 34);
  residual.resize(static_cast<std::size_t>(batch * size));
  const FeatureMap y = device.map(residual, batch, out_height, out_width, c.out);
  device.stream().convolve(*convolution, device.map(x, batch, c.height, c.width, c.in),
                           c.residual ? y : FeatureMap{}, y);
  return device.read(y);
}

class ConvolutionContract : public ContractTest {};

TEST_P(ConvolutionContract, EqualsTheReferenceAtEveryPrecision) {
  for (const Precision precision : precisions()) {
    int index = 0;
    for (const Case& c : kCases) {
      SCOPED_TRACE(testing::Message() << to_string(precision) << " case " << index++);
      Values tolerance =
          sum_tolerance(absolute(run_convolution(*reference_, Precision::kFp32, c, c.batch, true)),
                        c.in * c.kernel * c.kernel);
      for (float& value : tolerance) value += 1e-6f;  // the activation's own error
      expect_near(run_convolution(*device_, precision, c, c.batch, false),
                  run_convolution(*reference_, precision, c, c.batch, false), tolerance);
    }
  }
}

TEST_P(ConvolutionContract, AnImageDoesNotDependOnItsBatch) {
  for (const Case& c : kCases) {
    if (c.batch == 1) continue;
    const Values together = run_convolution(*device_, Precision::kFp32, c, c.batch, false);
    const Values alone = run_convolution(*device_, Precision::kFp32, c, 1, false);
    expect_same(
        GetParam(), alone,
        Values(together.begin(), together.begin() + static_cast<std::ptrdiff_t>(alone.size())));
  }
}

TEST_P(ConvolutionContract, AnActivatedSumHoldsTheResidual) {
  const Values weight{1}, x{3};
  const auto run = [&](bool activates_sum) {
    compute::ConvolutionWeights weights;
    weights.weight = weight;
    weights.in_channels = weights.out_channels = 1;
    weights.activation = Activation::kRelu;
    weights.activates_sum = activates_sum;
    const auto convolution = device_->backend().pack(weights, Precision::kFp32);
    const FeatureMap y = device_->map({-5}, 1, 1, 1, 1);
    device_->stream().convolve(*convolution, device_->map(x, 1, 1, 1, 1), y, y);
    return device_->read(y);
  };
  EXPECT_EQ(run(true), Values{0});
  EXPECT_EQ(run(false), Values{-2});
}

TEST_P(ConvolutionContract, MaxPoolEqualsTheReference) {
  struct Pool {
    std::int64_t height, width, channels, kernel, stride, padding;
  };
  for (const Pool& c : {Pool{12, 13, 37, 3, 2, 1}, Pool{1, 1, 5, 3, 2, 1}, Pool{9, 8, 64, 2, 2, 0},
                        Pool{6, 7, 19, 5, 1, 2}}) {
    Values x = random_values(2 * c.height * c.width * c.channels, 36);
    for (float& value : x) value -= 2;  // below the zero that padding is not
    const std::int64_t height = (c.height + 2 * c.padding - c.kernel) / c.stride + 1;
    const std::int64_t width = (c.width + 2 * c.padding - c.kernel) / c.stride + 1;
    const auto run = [&](Device& device) {
      const FeatureMap y = device.map(random_values(2 * height * width * c.channels, 37), 2, height,
                                      width, c.channels);
      device.stream().max_pool(device.map(x, 2, c.height, c.width, c.channels), c.kernel, c.stride,
                               c.padding, y);
      return device.read(y);
    };
    EXPECT_EQ(run(*device_), run(*reference_)) << c.height << " x " << c.width;
  }
}

TEST_P(ConvolutionContract, MaxPoolLooksAtItsWindow) {
  // 1 -2 3 / 4 -5 -6 in one channel; windows of 3 at steps of 2, one beyond each side.
  const FeatureMap y = device_->map({0, 0}, 1, 1, 2, 1);
  device_->stream().max_pool(device_->map({1, -2, 3, 4, -5, -6}, 1, 2, 3, 1), 3, 2, 1, y);
  EXPECT_EQ(device_->read(y), (Values{4, 3}));
}

TEST_P(ConvolutionContract, ResponseNormEqualsTheReference) {
  for (const std::int64_t channels : {1, 16, 45}) {
    const Values x = random_values(3 * 5 * 7 * channels, 38);
    const Values weight = random_values(channels, 39), bias = random_values(channels, 40);
    const auto run = [&](Device& device) {
      const FeatureMap map = device.map(x, 3, 5, 7, channels);
      device.stream().normalize_response(device.vector(weight), device.vector(bias), 1e-6f, map);
      return device.read(map);
    };
    expect_near(run(*device_), run(*reference_), 4e-6f);
  }
}

TEST_P(ConvolutionContract, ResponseNormWeighsChannelsByTheirNorm) {
  // Channel norms 5 and 10, of mean 7.5, over two positions.
  const FeatureMap x = device_->map({3, 6, 4, 8}, 1, 1, 2, 2);
  device_->stream().normalize_response(device_->vector({0.75f, 1.5f}), device_->vector({0, 1}), 0,
                                       x);
  expect_near(device_->read(x), {4.5f, 19, 6, 25}, 1e-5f);
}

TEST_P(ConvolutionContract, AveragePoolEqualsTheReference) {
  const Values x = random_values(3 * 7 * 5 * 37, 35);
  const auto run = [&](Device& device) {
    const compute::Matrix y = device.empty(3, 37, 41);
    device.stream().average_pool(device.map(x, 3, 7, 5, 37), y);
    return device.read(y);
  };
  expect_near(run(*device_), run(*reference_), 1e-6f);
}

INSTANTIATE_TEST_SUITE_P(Backends, ConvolutionContract, testing::ValuesIn(backend_names()),
                         name_of);

}  // namespace
}  // namespace vecframe::contract
