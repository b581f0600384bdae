#include "exec/connection_limits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace vecframe::exec {
namespace {

TEST(ConnectionLimits, LetsSoManyThroughAtATime) {
  ConnectionLimits limits;
  const CancellationToken stopping;
  std::atomic<int> now{0}, most{0}, done{0};
  std::vector<std::thread> threads;
  const int key = 0;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 50; ++k) {
        const auto result = limits.within<int>(&key, 2, stopping, [&]() -> Result<int> {
          const int at_once = ++now;
          int seen = most;
          while (seen < at_once && !most.compare_exchange_weak(seen, at_once)) {
          }
          std::this_thread::yield();
          --now;
          return ++done;
        });
        EXPECT_TRUE(result.ok());
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, 400);
  EXPECT_LE(most, 2);
}

TEST(ConnectionLimits, CountsEachKeyApart) {
  ConnectionLimits limits;
  const CancellationToken stopping;
  const int a = 0, b = 0;
  const auto result = limits.within<int>(&a, 1, stopping, [&] {
    return limits.within<int>(&b, 1, stopping, []() -> Result<int> { return 7; });
  });
  EXPECT_EQ(*result, 7);
}

TEST(ConnectionLimits, GivesUpWhenTheRunStops) {
  ConnectionLimits limits;
  CancellationToken stopping;
  const int key = 0;
  const auto result = limits.within<int>(&key, 1, stopping, [&]() -> Result<int> {
    stopping.cancel();
    const auto inner = limits.within<int>(&key, 1, stopping, []() -> Result<int> { return 7; });
    return inner.ok() ? 1 : 0;
  });
  EXPECT_EQ(*result, 0);
}

}  // namespace
}  // namespace vecframe::exec
