#include "models/position_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace vecframe::models {
namespace {

using testing::ElementsAre;

// Rows that say which grid they are of.
struct GridRows final : compute::Vector {
  explicit GridRows(Grid made_for) : grid(made_for) {}
  std::size_t bytes() const override { return 0; }
  Grid grid;
};

Grid grid_of(const PositionCache::Rows& rows) { return static_cast<const GridRows&>(*rows).grid; }

TEST(PositionCache, MakesWhatItHasNotAndForgetsTheLeastRecentlyUsed) {
  std::vector<std::int64_t> made;
  PositionCache cache(2, [&](Grid grid) {
    made.push_back(grid.height);
    return std::make_unique<GridRows>(grid);
  });
  for (std::int64_t height : {1, 2, 1, 3, 1, 2})
    EXPECT_EQ(grid_of(cache.at({height, 9})).height, height);
  EXPECT_THAT(made,
              ElementsAre(1, 2, 3, 2));  // 3 took the place of 2, because 1 had been used again
}

TEST(PositionCache, RowsAndColumnsAreNotConfused) {
  PositionCache cache(4, [](Grid grid) { return std::make_unique<GridRows>(grid); });
  EXPECT_EQ(grid_of(cache.at({2, 3})), (Grid{2, 3}));
  EXPECT_EQ(grid_of(cache.at({3, 2})), (Grid{3, 2}));
  EXPECT_EQ(cache.at({2, 3}), cache.at({2, 3}));
}

TEST(PositionCache, KeepsOneGridAtLeastAndLetsItsHolderKeepAForgottenOne) {
  PositionCache cache(0, [](Grid grid) { return std::make_unique<GridRows>(grid); });
  const auto held = cache.at({1, 1});
  EXPECT_EQ(cache.at({1, 1}), held);
  EXPECT_NE(cache.at({2, 2}), held);
  EXPECT_NE(cache.at({1, 1}), held);
  EXPECT_EQ(grid_of(held), (Grid{1, 1}));
}

TEST(PositionCache, ThreadsGetTheirOwnGrids) {
  PositionCache cache(3, [](Grid grid) { return std::make_unique<GridRows>(grid); });
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::int64_t seed = 0; seed < 4; ++seed)
    threads.emplace_back([&, seed] {
      for (std::int64_t i = 0; i < 2000; ++i) {
        const Grid grid{(i * (seed + 3)) % 5, 1};
        if (grid_of(cache.at(grid)) != grid) ++wrong;
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace vecframe::models
