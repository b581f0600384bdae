#include "base/byte_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>
#include <vector>

namespace vecframe {
namespace {

TEST(ByteBudget, GivesBackOnDestruction) {
  ByteBudget budget(100);
  CancellationToken token;
  {
    Credit credit = budget.acquire(60, token);
    EXPECT_EQ(credit.bytes(), 60);
    EXPECT_EQ(budget.in_use(), 60);
    EXPECT_FALSE(budget.try_acquire(41));
    EXPECT_TRUE(budget.try_acquire(40));
  }
  EXPECT_EQ(budget.in_use(), 0);
  EXPECT_EQ(budget.peak(), 100);
}

TEST(ByteBudget, RefusesMoreThanItsCapacityAtOnce) {
  ByteBudget budget(100);
  CancellationToken token;
  EXPECT_FALSE(budget.acquire(101, token));
}

TEST(ByteBudget, ShrinkGivesBackTheRest) {
  ByteBudget budget(100);
  CancellationToken token;
  Credit credit = budget.acquire(90, token);
  credit.shrink_to(10);
  EXPECT_EQ(budget.in_use(), 10);
  credit.shrink_to(50);  // never grows
  EXPECT_EQ(budget.in_use(), 10);
}

TEST(ByteBudget, CancellationWakesAWaiter) {
  ByteBudget budget(100);
  CancellationToken token;
  Credit all = budget.acquire(100, token);
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    token.cancel();
  });
  EXPECT_FALSE(budget.acquire(1, token));
  canceller.join();
}

TEST(ByteBudget, ALargeRequestIsNotStarvedBySmallOnes) {
  ByteBudget budget(100);
  CancellationToken token;
  std::atomic<bool> stop{false};
  std::vector<std::thread> small;
  for (int i = 0; i < 4; ++i) {
    small.emplace_back([&] {
      while (!stop) Credit credit = budget.acquire(20, token);
    });
  }
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(budget.acquire(100, token));
  stop = true;
  for (std::thread& thread : small) thread.join();
}

TEST(ByteBudget, NeverExceedsItsCapacityUnderLoad) {
  ByteBudget budget(1000);
  CancellationToken token;
  std::vector<std::thread> threads;
  for (unsigned seed = 0; seed < 6; ++seed) {
    threads.emplace_back([&, seed] {
      std::mt19937 random(seed);
      for (int i = 0; i < 300; ++i) {
        Credit credit = budget.acquire(std::uniform_int_distribution<int>(0, 1000)(random), token);
        ASSERT_TRUE(credit);
        credit.shrink_to(credit.bytes() / 2);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(budget.in_use(), 0);
  EXPECT_LE(budget.peak(), 1000);
}

}  // namespace
}  // namespace vecframe
