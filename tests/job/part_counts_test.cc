#include "job/part_counts.h"

#include <gtest/gtest.h>

namespace vecframe::job {
namespace {

TEST(CountsByShardTest, AreInTheOrderOfTheIds) {
  CountsByShard counts;
  EXPECT_TRUE(counts.empty());
  counts.set(3, {30, 1});
  counts.set(7, {70, 0});
  counts.set(0, {5, 5});
  counts.set(5, {50, 2});
  std::vector<std::int64_t> ids;
  for (const auto& [id, _] : counts) ids.push_back(id);
  EXPECT_EQ(ids, (std::vector<std::int64_t>{0, 3, 5, 7}));
}

TEST(CountsByShardTest, TheLastCountsOfAShardHold) {
  CountsByShard counts;
  for (const std::int64_t rows : {10, 20}) {
    counts.set(4, {rows, 0});
    counts.set(1, {rows + 1, 1});
  }
  ASSERT_EQ(std::distance(counts.begin(), counts.end()), 2);
  EXPECT_EQ(counts.begin()->second.rows, 21);
  EXPECT_EQ(counts.begin()->second.failed, 1);
  EXPECT_TRUE(counts.contains(1));
  EXPECT_TRUE(counts.contains(4));
  EXPECT_FALSE(counts.contains(2));
  EXPECT_FALSE(counts.contains(5));
}

}  // namespace
}  // namespace vecframe::job
