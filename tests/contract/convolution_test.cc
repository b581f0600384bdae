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
};

Values run_convolution(Device& device, Precision precision, const Case& c, std::int64_t batch,
                       bool magnitude) {
  const std::int64_t groups = c.depthwise ? c.in : 1;
  Values weight = random_values(c.out * (c.in / groups) * c.kernel * c.kernel, 31);
  Values x = random_values(c.batch * c.height * c.width * c.in, 32);
  Values bias = random_values(c.out, 33);
  if (magnitude) weight = absolute(weight), x = absolute(x), bias = absolute(bias);
  compute::ConvolutionWeights weights{weight,   bias,   c.in,     c.out,   c.kernel,
                                      c.stride, groups, c.before, c.after, c.activation};
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

TEST_P(ConvolutionContract, EqualsTheReferenceAtBothPrecisions) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16}) {
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
    EXPECT_EQ(alone, Values(together.begin(),
                            together.begin() + static_cast<std::ptrdiff_t>(alone.size())));
  }
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
