#include "compute/weights_check.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace vecframe::compute {
namespace {

TEST(WeightsCheck, RefusesSizesThatDoNotFit) {
  const std::vector<float> values(24);
  EXPECT_NO_THROW(check(LinearWeights{values, {}, 6, 4}));
  EXPECT_THROW(check(LinearWeights{values, {}, 5, 4}), std::invalid_argument);
  EXPECT_THROW(check(LinearWeights{values, std::span(values).first(3), 6, 4}),
               std::invalid_argument);
  EXPECT_THROW(check(LinearWeights{{}, {}, 0, 4}), std::invalid_argument);
  EXPECT_NO_THROW(check(PatchWeights{values, {}, 2, 2}));
  EXPECT_THROW(check(PatchWeights{values, {}, 2, 3}), std::invalid_argument);
}

TEST(WeightsCheck, AConvolutionIsDenseOrDepthwise) {
  const std::vector<float> values(4 * 4 * 9);
  ConvolutionWeights weights;
  weights.weight = values;
  weights.in_channels = weights.out_channels = 4;
  weights.kernel = 3;
  EXPECT_NO_THROW(check(weights));
  weights.groups = 2;
  EXPECT_THROW(check(weights), std::invalid_argument);
  weights.groups = 4;
  EXPECT_THROW(check(weights), std::invalid_argument);
  weights.weight = std::span(values).first(4 * 9);
  EXPECT_NO_THROW(check(weights));
  weights.pad_after = -1;
  EXPECT_THROW(check(weights), std::invalid_argument);
}

}  // namespace
}  // namespace vecframe::compute
