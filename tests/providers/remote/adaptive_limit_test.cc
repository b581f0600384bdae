#include "providers/remote/adaptive_limit.h"

#include <gtest/gtest.h>

#include <vector>

namespace vecframe::providers {
namespace {

using Outcome = AdaptiveLimit::Outcome;
using TimePoint = AdaptiveLimit::TimePoint;
using std::chrono::seconds;

void succeed(AdaptiveLimit& limit, int times) {
  for (int i = 0; i < times; ++i) limit.end(limit.begin(), Outcome::kSuccess);
}

TEST(AdaptiveLimitTest, OneUntilTheFirstSuccessThenFour) {
  AdaptiveLimit limit(16);
  EXPECT_EQ(limit.limit(), 1);
  const auto window = limit.begin();
  EXPECT_FALSE(limit.may_send(TimePoint()));
  limit.end(window, Outcome::kOther);
  EXPECT_EQ(limit.limit(), 1);
  succeed(limit, 1);
  EXPECT_EQ(limit.limit(), 4);
}

TEST(AdaptiveLimitTest, GrowsByOneAWindowUpToTheMost) {
  AdaptiveLimit limit(6);
  succeed(limit, 1 + 4);
  EXPECT_EQ(limit.limit(), 5);
  succeed(limit, 5);
  EXPECT_EQ(limit.limit(), 6);
  succeed(limit, 100);
  EXPECT_EQ(limit.limit(), 6);
  AdaptiveLimit small(2);
  succeed(small, 10);
  EXPECT_EQ(small.limit(), 2);
}

TEST(AdaptiveLimitTest, RequestsOfOneWindowHalveItOnce) {
  AdaptiveLimit limit(16);
  succeed(limit, 1 + 4 + 5 + 6 + 7);
  ASSERT_EQ(limit.limit(), 8);
  std::vector<std::int64_t> windows;
  for (int i = 0; i < 8; ++i) windows.push_back(limit.begin());
  for (const std::int64_t window : windows) limit.end(window, Outcome::kOverloaded);
  EXPECT_EQ(limit.limit(), 4);
  EXPECT_EQ(limit.overloads_in_a_row(), 1);
  for (int i = 0; i < 5; ++i) limit.end(limit.begin(), Outcome::kOverloaded);
  EXPECT_EQ(limit.limit(), 1);
  EXPECT_EQ(limit.in_flight(), 0);
}

TEST(AdaptiveLimitTest, NothingIsSentInTheQuiet) {
  AdaptiveLimit limit(4);
  const TimePoint now{seconds(100)};
  limit.keep_quiet_until(now + seconds(5));
  limit.keep_quiet_until(now + seconds(2));
  EXPECT_FALSE(limit.may_send(now + seconds(4)));
  EXPECT_TRUE(limit.may_send(now + seconds(5)));
}

}  // namespace
}  // namespace vecframe::providers
