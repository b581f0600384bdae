#include "backends/cpu/team.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace vecframe::backends::cpu {
namespace {

TEST(Team, RunsEveryPartOfEveryRoundOnce) {
  Team team(4);
  ASSERT_EQ(team.size(), 4);
  std::vector<int> counts(4);  // each part writes its own
  for (int round = 0; round < 500; ++round)
    team.run([&](int index) { ++counts[static_cast<std::size_t>(index)]; });
  EXPECT_EQ(counts, std::vector<int>(4, 500));
}

TEST(Team, OfOneIsTheCaller) {
  Team team(1);
  const auto caller = std::this_thread::get_id();
  std::thread::id seen;
  team.run([&](int) { seen = std::this_thread::get_id(); });
  EXPECT_EQ(seen, caller);
}

TEST(Team, ThrowsWhatAPartThrewAndGoesOn) {
  Team team(3);
  EXPECT_THROW(team.run([](int index) {
    if (index == 2) throw std::runtime_error("part");
  }),
               std::runtime_error);
  std::vector<int> counts(3);
  team.run([&](int index) { ++counts[static_cast<std::size_t>(index)]; });
  EXPECT_EQ(counts, std::vector<int>(3, 1));
}

TEST(Team, SharesAreWholeUnitsAndCoverAll) {
  for (const std::int64_t count : {1, 31, 32, 100, 3072}) {
    for (const int size : {1, 2, 5}) {
      std::int64_t next = 0;
      for (int i = 0; i < size; ++i) {
        const Share share = share_of(count, 32, i, size);
        EXPECT_EQ(share.begin, next);
        EXPECT_TRUE(share.begin % 32 == 0 || share.begin == count);
        next = share.end;
      }
      EXPECT_EQ(next, count);
    }
  }
}

}  // namespace
}  // namespace vecframe::backends::cpu
