#include "search/distances.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

namespace vecframe::search {
namespace {

std::vector<float> random_vector(std::mt19937& random, std::size_t length) {
  std::normal_distribution<float> normal(0.5f, 2.0f);
  std::vector<float> values(length);
  for (float& value : values) value = normal(random);
  return values;
}

// Sums in extended precision.
Products expected_products(const std::vector<float>& x, const std::vector<float>& y) {
  long double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += static_cast<long double>(x[i]) * y[i];
    xx += static_cast<long double>(x[i]) * x[i];
    yy += static_cast<long double>(y[i]) * y[i];
  }
  return {static_cast<double>(xy), static_cast<double>(xx), static_cast<double>(yy)};
}

TEST(Distances, OfEveryLengthAreSummedInDoublePrecision) {
  std::mt19937 random(7);
  for (const std::size_t length : {0, 1, 2, 3, 7, 8, 15, 16, 17, 33, 100, 768, 5000}) {
    const std::vector<float> x = random_vector(random, length), y = random_vector(random, length);
    const Products expected = expected_products(x, y), got = products_of(x, y);
    EXPECT_NEAR(got.xy, expected.xy, 1e-12 * (1 + std::abs(expected.xx) + expected.yy)) << length;
    EXPECT_NEAR(got.xx, expected.xx, 1e-12 * (1 + expected.xx)) << length;
    EXPECT_NEAR(got.yy, expected.yy, 1e-12 * (1 + expected.yy)) << length;
    const double squares = expected.xx - 2 * expected.xy + expected.yy;
    EXPECT_NEAR(squared_distance(x, y), squares, 1e-11 * (1 + expected.xx + expected.yy)) << length;
    const std::vector<double> wide_x(x.begin(), x.end()), wide_y(y.begin(), y.end());
    EXPECT_NEAR(products_of(wide_x, wide_y).xy, got.xy, 1e-9);
    EXPECT_NEAR(squared_distance(wide_x, wide_y), squared_distance(x, y), 1e-9);
  }
}

TEST(Distances, SmallAmongLargeIsNotLost) {
  // In float32 the ones would vanish beside 1e8.
  std::vector<float> x(1001, 1.0f);
  x[0] = 1e4f;
  const std::vector<float> y = x;
  EXPECT_EQ(products_of(x, y).xy, 1e8 + 1000);
}

TEST(Distances, CosineOfAZeroVectorIsNoNumber) {
  const std::vector<float> zero(5), one{1, 0, 0, 0, 0}, other{0, 2, 0, 0, 0};
  EXPECT_TRUE(std::isnan(cosine_similarity(products_of(zero, one))));
  EXPECT_EQ(cosine_similarity(products_of(one, other)), 0);
  EXPECT_EQ(cosine_similarity(products_of(one, one)), 1);
}

TEST(Distances, HammingCountsBits) {
  for (const std::size_t length : {0, 1, 7, 8, 9, 16, 23}) {
    std::vector<std::byte> x(length), y(length, std::byte{0xff});
    EXPECT_EQ(hamming_distance(x, y), 8 * length);
    EXPECT_EQ(hamming_distance(x, x), 0u);
    if (length == 0) continue;
    y = x;
    y.back() = std::byte{0x81};
    EXPECT_EQ(hamming_distance(x, y), 2u);
  }
}

}  // namespace
}  // namespace vecframe::search
