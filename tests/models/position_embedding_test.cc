#include "models/position_embedding.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vecframe::models {
namespace {

using testing::FloatNear;
using testing::Pointwise;

TEST(ResizePositions, SameGridIsUntouched) {
  const std::vector<float> positions{9, 1, 2, 3, 4};
  EXPECT_EQ(resize_positions(positions, 1, 1, {2, 2}, {2, 2}, PositionFilter::kBicubic), positions);
}

TEST(ResizePositions, KeepsPrefixRowsAndConstants) {
  const std::vector<float> positions{7, -7, 3, 5, 3, 5, 3, 5, 3, 5};
  const auto result = resize_positions(positions, 1, 2, {2, 2}, {1, 3}, PositionFilter::kBicubic);
  EXPECT_THAT(result, Pointwise(FloatNear(1e-5f), {7.f, -7.f, 3.f, 5.f, 3.f, 5.f, 3.f, 5.f}));
}

// torch.nn.functional.interpolate(torch.tensor([[[[0., 1, 4, 9]]]]), size=(1, 6), mode="bicubic",
// align_corners=False), torch 2.15.
TEST(ResizePositions, EqualsTorchAlongARow) {
  const std::vector<float> positions{0, 1, 4, 9};
  EXPECT_THAT(resize_positions(positions, 0, 1, {1, 4}, {1, 6}, PositionFilter::kBicubic),
              Pointwise(FloatNear(1e-6f),
                        {-0.08680558f, 0.21875f, 1.430555f, 3.152778f, 6.78125f, 9.434029f}));
}

// The same of arange(12).reshape(1, 1, 3, 4) ** 2 / 10 to size (2, 3).
TEST(ResizePositions, EqualsTorchInTwoDimensions) {
  std::vector<float> positions;
  for (int i = 0; i < 12; ++i) positions.push_back(static_cast<float>(i * i) / 10);
  EXPECT_THAT(resize_positions(positions, 0, 1, {3, 4}, {2, 3}, PositionFilter::kBicubic),
              Pointwise(FloatNear(1e-5f),
                        {0.2222113f, 0.6359375f, 1.467256f, 5.560428f, 7.751564f, 10.36029f}));
}

// interpolate(arange(20).reshape(1, 1, 4, 5) ** 2 / 10, (2, 7), mode="bicubic", antialias=True).
TEST(ResizePositions, EqualsTorchWithAntialiasing) {
  std::vector<float> positions;
  for (int i = 0; i < 20; ++i) positions.push_back(static_cast<float>(i * i) / 10);
  EXPECT_THAT(
      resize_positions(positions, 0, 1, {4, 5}, {2, 7}, PositionFilter::kBicubicAntialiased),
      Pointwise(FloatNear(1e-5f),
                {1.46825814f, 1.83360040f, 2.42799783f, 3.08181810f, 3.83767962f, 4.80759859f,
                 5.53032970f, 15.06021023f, 16.43252182f, 18.47463226f, 20.43305779f, 22.49352264f,
                 24.91115761f, 26.64085579f}));
}

// interpolate(arange(20).reshape(1, 1, 4, 5) ** 2 / 10, size, mode="bilinear", antialias=True).
TEST(ResizePositions, EqualsTorchWithBilinearAntialiasing) {
  std::vector<float> positions;
  for (int i = 0; i < 20; ++i) positions.push_back(static_cast<float>(i * i) / 10);
  const auto resized = [&](Grid grid) {
    return resize_positions(positions, 0, 1, {4, 5}, grid, PositionFilter::kBilinearAntialiased);
  };
  EXPECT_THAT(resized({2, 7}),
              Pointwise(FloatNear(1e-5f),
                        {2.50000000f, 2.96530604f, 3.60408187f, 4.32857132f, 5.19591856f,
                         6.14897966f, 6.95714331f, 14.28571415f, 15.64898014f, 17.41020393f,
                         19.25714302f, 21.24694061f, 23.32244873f, 25.02857208f}));
  EXPECT_THAT(resized({7, 2}),
              Pointwise(FloatNear(1e-5f),
                        {0.17272727f, 0.97272724f, 1.42272758f, 2.93701339f, 3.42272758f,
                         6.07987022f, 7.92272806f, 11.72272682f, 13.13701725f, 18.07987213f,
                         20.85130119f, 26.93701363f, 25.67272758f, 32.47272491f}));
  EXPECT_THAT(resized({1, 9}),
              Pointwise(FloatNear(1e-5f),
                        {8.33333302f, 8.86666584f, 9.75555515f, 10.73333359f, 11.73333263f,
                         12.84444427f, 13.97777653f, 15.20000076f, 15.93333340f}));
}

// A strip standing up is the same strip lying down. (torch's own is not, on processors: it repeats
// the first row.)
TEST(ResizePositions, AStripMayStandOrLie) {
  std::vector<float> positions, turned;
  for (int i = 0; i < 16; ++i) {
    positions.push_back(static_cast<float>(i * i) / 10);
    turned.push_back(static_cast<float>((i % 4 * 4 + i / 4) * (i % 4 * 4 + i / 4)) / 10);
  }
  for (const PositionFilter filter : {PositionFilter::kBicubic, PositionFilter::kBicubicAntialiased,
                                      PositionFilter::kBilinearAntialiased})
    EXPECT_THAT(
        resize_positions(positions, 0, 1, {4, 4}, {9, 1}, filter),
        Pointwise(FloatNear(1e-6f), resize_positions(turned, 0, 1, {4, 4}, {1, 9}, filter)));
}

TEST(ResizePositions, OnlyTheOrderOfThePassesDependsOnTheShape) {
  // Of a plane, so that both orders and both grids mean the same values away from the border.
  const std::vector<float> plane{0, 1, 2, 10, 11, 12, 20, 21, 22};
  const auto wide =
      resize_positions(plane, 0, 1, {3, 3}, {3, 9}, PositionFilter::kBilinearAntialiased);
  const auto tall =
      resize_positions(plane, 0, 1, {3, 3}, {9, 3}, PositionFilter::kBilinearAntialiased);
  EXPECT_NEAR(wide[9 + 4], 11, 1e-5f);
  EXPECT_NEAR(tall[4 * 3 + 1], 11, 1e-5f);
  EXPECT_NEAR(wide[9 + 5], 11 + 1 / 3.0, 1e-5f);
  EXPECT_NEAR(tall[5 * 3 + 1], 11 + 10 / 3.0, 1e-5f);
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
