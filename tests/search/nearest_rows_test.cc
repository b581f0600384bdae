#include "search/nearest_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <span>
#include <utility>
#include <vector>

namespace vecframe::search {
namespace {

TEST(NearestRows, EqualsASortOfEverything) {
  constexpr std::size_t kDimension = 17, kRows = 500, kQueries = 3, kCount = 7;
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> rows(kRows * kDimension);
  for (float& value : rows) value = normal(random);
  const std::span<const float> all(rows);
  NearestRows nearest(all.first(kQueries * kDimension), kDimension, kCount);
  for (std::size_t r = 0; r < kRows; ++r) {
    nearest.add(static_cast<std::int64_t>(r), all.subspan(r * kDimension, kDimension));
  }
  for (std::size_t q = 0; q < kQueries; ++q) {
    std::vector<std::pair<double, std::int64_t>> expected;
    for (std::size_t r = 0; r < kRows; ++r) {
      double dot = 0, a = 0, b = 0;
      for (std::size_t i = 0; i < kDimension; ++i) {
        const double x = rows[q * kDimension + i], y = rows[r * kDimension + i];
        dot += x * y, a += x * x, b += y * y;
      }
      expected.emplace_back(-dot / std::sqrt(a * b), static_cast<std::int64_t>(r));
    }
    std::sort(expected.begin(), expected.end());
    const std::vector<Hit> hits = nearest.hits(q);
    ASSERT_EQ(hits.size(), kCount);
    EXPECT_EQ(hits[0].row, static_cast<std::int64_t>(q));  // itself
    EXPECT_NEAR(hits[0].similarity, 1.0, 1e-6);
    for (std::size_t i = 0; i < kCount; ++i) EXPECT_EQ(hits[i].row, expected[i].second);
  }
}

TEST(NearestRows, ZeroVectorsAreSimilarToNothing) {
  const std::vector<float> zero{0, 0}, one{1, 0};
  NearestRows nearest(zero, 2, 1);
  nearest.add(0, one);
  EXPECT_EQ(nearest.hits(0)[0].similarity, 0.0);
  NearestRows to_zero(one, 2, 1);
  to_zero.add(0, zero);
  EXPECT_EQ(to_zero.hits(0)[0].similarity, 0.0);
}

TEST(NearestRows, EqualSimilaritiesKeepTheSmallerRow) {
  const std::vector<float> query{1, 1}, same{2, 2};
  NearestRows nearest(query, 2, 2);
  for (std::int64_t row = 0; row < 5; ++row) nearest.add(row, same);
  ASSERT_EQ(nearest.hits(0).size(), 2u);
  EXPECT_EQ(nearest.hits(0)[0].row, 0);
  EXPECT_EQ(nearest.hits(0)[1].row, 1);
}

TEST(NearestRows, AsksForNoneAndFewerThanThereAre) {
  const std::vector<float> query{1, 0};
  NearestRows none(query, 2, 0);
  none.add(0, query);
  EXPECT_TRUE(none.hits(0).empty());
  NearestRows many(query, 2, 10);
  many.add(0, query);
  EXPECT_EQ(many.hits(0).size(), 1u);
}

}  // namespace
}  // namespace vecframe::search
