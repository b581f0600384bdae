#include "models/position_embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vecframe::models {
namespace {

using testing::FloatNear;
using testing::Pointwise;

TEST(ResizePositions, SameGridIsUntouched) {
  const std::vector<float> positions{9, 1, 2, 3, 4};
  EXPECT_EQ(resize_positions(positions, 1, 1, {2, 2}, {2, 2}), positions);
}

TEST(ResizePositions, KeepsPrefixRowsAndConstants) {
  const std::vector<float> positions{7, -7, 3, 5, 3, 5, 3, 5, 3, 5};
  const auto result = resize_positions(positions, 1, 2, {2, 2}, {1, 3});
  EXPECT_THAT(result, Pointwise(FloatNear(1e-5f), {7.f, -7.f, 3.f, 5.f, 3.f, 5.f, 3.f, 5.f}));
}

// torch.nn.functional.interpolate(torch.tensor([[[[0., 1, 4, 9]]]]), size=(1, 6), mode="bicubic",
// align_corners=False), torch 2.15.
TEST(ResizePositions, EqualsTorchAlongARow) {
  const std::vector<float> positions{0, 1, 4, 9};
  EXPECT_THAT(resize_positions(positions, 0, 1, {1, 4}, {1, 6}),
              Pointwise(FloatNear(1e-6f),
                        {-0.08680558f, 0.21875f, 1.430555f, 3.152778f, 6.78125f, 9.434029f}));
}

// The same of arange(12).reshape(1, 1, 3, 4) ** 2 / 10 to size (2, 3).
TEST(ResizePositions, EqualsTorchInTwoDimensions) {
  std::vector<float> positions;
  for (int i = 0; i < 12; ++i) positions.push_back(static_cast<float>(i * i) / 10);
  EXPECT_THAT(resize_positions(positions, 0, 1, {3, 4}, {2, 3}),
              Pointwise(FloatNear(1e-5f),
                        {0.2222113f, 0.6359375f, 1.467256f, 5.560428f, 7.751564f, 10.36029f}));
}

}  // namespace
}  // namespace vecframe::models
