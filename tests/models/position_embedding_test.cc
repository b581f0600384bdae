#include "models/position_embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vecframe::models {
namespace {

using testing::FloatNear;
using testing::Pointwise;

TEST(ResizePositions, SameGridIsUntouched) {
  const std::vector<float> positions{9, 1, 2, 3, 4};
  EXPECT_EQ(resize_positions(positions, 1, 1, {2, 2}, {2, 2}, false), positions);
}

TEST(ResizePositions, KeepsPrefixRowsAndConstants) {
  const std::vector<float> positions{7, -7, 3, 5, 3, 5, 3, 5, 3, 5};
  const auto result = resize_positions(positions, 1, 2, {2, 2}, {1, 3}, false);
  EXPECT_THAT(result, Pointwise(FloatNear(1e-5f), {7.f, -7.f, 3.f, 5.f, 3.f, 5.f, 3.f, 5.f}));
}

// torch.nn.functional.interpolate(torch.tensor([[[[0., 1, 4, 9]]]]), size=(1, 6), mode="bicubic",
// align_corners=False), torch 2.15.
TEST(ResizePositions, EqualsTorchAlongARow) {
  const std::vector<float> positions{0, 1, 4, 9};
  EXPECT_THAT(resize_positions(positions, 0, 1, {1, 4}, {1, 6}, false),
              Pointwise(FloatNear(1e-6f),
                        {-0.08680558f, 0.21875f, 1.430555f, 3.152778f, 6.78125f, 9.434029f}));
}

// The same of arange(12).reshape(1, 1, 3, 4) ** 2 / 10 to size (2, 3).
TEST(ResizePositions, EqualsTorchInTwoDimensions) {
  std::vector<float> positions;
  for (int i = 0; i < 12; ++i) positions.push_back(static_cast<float>(i * i) / 10);
  EXPECT_THAT(resize_positions(positions, 0, 1, {3, 4}, {2, 3}, false),
              Pointwise(FloatNear(1e-5f),
                        {0.2222113f, 0.6359375f, 1.467256f, 5.560428f, 7.751564f, 10.36029f}));
}

// interpolate(arange(20).reshape(1, 1, 4, 5) ** 2 / 10, (2, 7), mode="bicubic", antialias=True).
TEST(ResizePositions, EqualsTorchWithAntialiasing) {
  std::vector<float> positions;
  for (int i = 0; i < 20; ++i) positions.push_back(static_cast<float>(i * i) / 10);
  EXPECT_THAT(resize_positions(positions, 0, 1, {4, 5}, {2, 7}, true),
              Pointwise(FloatNear(1e-5f),
                        {1.46825814f, 1.83360040f, 2.42799783f, 3.08181810f, 3.83767962f,
                         4.80759859f, 5.53032970f, 15.06021023f, 16.43252182f, 18.47463226f,
                         20.43305779f, 22.49352264f, 24.91115761f, 26.64085579f}));
}

TEST(DistanceTable, IsTurnedAroundAndOrderedByHeads) {
  // A grid of 1 x 2 patches: distances -1, 0, 1 of the query to the key, and three more; 2 heads.
  const std::vector<float> stored{1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60};
  EXPECT_EQ(distance_table(stored, 2, {1, 2}, {1, 2}),
            (std::vector<float>{3, 2, 1, 4, 5, 6, 30, 20, 10, 40, 50, 60}));
  // To 1 x 3 patches: five distances from three, at -0.2 (held at 0), 0.4, 1, 1.6 and 2.2.
  const std::vector<float> wide = distance_table(stored, 2, {1, 2}, {1, 3});
  ASSERT_EQ(wide.size(), 16u);
  EXPECT_THAT(std::vector<float>(wide.begin(), wide.begin() + 8),
              Pointwise(FloatNear(1e-6f), {3.f, 2.6f, 2.f, 1.4f, 1.f, 4.f, 5.f, 6.f}));
}

TEST(SinePositions, ColumnsComeBeforeRows) {
  const std::vector<float> rows = sine_positions(8, {2, 2});
  ASSERT_EQ(rows.size(), 32u);
  // The patch of row 1, column 0: sin and cos of 0, then of 1 and 1/100.
  EXPECT_THAT(std::vector<float>(rows.begin() + 16, rows.begin() + 24),
              Pointwise(FloatNear(1e-6f),
                        {0.f, 0.f, 1.f, 1.f, 0.841471f, 0.00999983f, 0.540302f, 0.99995f}));
}

TEST(RotaryTurns, RowsComeBeforeColumns) {
  // Heads of 8: frequencies 1 and 1/10. The second patch of a 1 x 2 grid: y = 0, x = 1/2.
  const std::vector<float> turns = centred_turns(8, 100, {1, 2});
  ASSERT_EQ(turns.size(), 16u);
  EXPECT_THAT(std::vector<float>(turns.begin() + 8, turns.end()),
              Pointwise(FloatNear(1e-6f), {1.f, 1.f, -1.f, 0.9510565f, 0.f, 0.f, 0.f, 0.3090170f}));
}

TEST(RotaryTurns, ScaledOnesCountAsIfOnTheReferenceGrid) {
  // Heads of 8: frequencies 1 and 1/100. The last patch of a 2 x 4 grid as of one of 4 x 4: y = 2,
  // x = 3.
  const std::vector<float> turns = scaled_turns(8, 10000, 4, {2, 4});
  ASSERT_EQ(turns.size(), 64u);
  EXPECT_THAT(std::vector<float>(turns.begin() + 56, turns.end()),
              Pointwise(FloatNear(1e-6f), {-0.4161468f, 0.9998000f, -0.9899925f, 0.9995500f,
                                           0.9092974f, 0.0199987f, 0.1411200f, 0.0299955f}));
}

}  // namespace
}  // namespace vecframe::models
