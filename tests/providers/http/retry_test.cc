#include "providers/http/retry.h"

#include <gtest/gtest.h>

#include <ctime>
#include <thread>

namespace vecframe::providers {
namespace {

using Kind = HttpError::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

RetryPolicy quick() {
  RetryPolicy policy;
  policy.first_delay = milliseconds(1);
  policy.max_delay = milliseconds(2);
  return policy;
}

int attempts_until_success(HttpError::Kind kind, int failures) {
  int attempts = 0;
  return with_retries(quick(), nullptr, [&] {
    if (++attempts <= failures) throw HttpError(kind, "no");
    return attempts;
  });
}

TEST(RetryTest, TransientFailuresAreTriedAgain) {
  EXPECT_EQ(attempts_until_success(Kind::kNetwork, 4), 5);
  EXPECT_EQ(attempts_until_success(Kind::kStatus, 4), 5);
  EXPECT_EQ(attempts_until_success(Kind::kConnect, 1), 2);
}

TEST(RetryTest, TheLastFailureComesOut) {
  EXPECT_THROW(attempts_until_success(Kind::kNetwork, 5), HttpError);
  EXPECT_THROW(attempts_until_success(Kind::kConnect, 2), HttpError);
  EXPECT_THROW(attempts_until_success(Kind::kProtocol, 1), HttpError);
}

TEST(RetryTest, WaitsAsLongAsTheServerAsks) {
  RetrySchedule schedule(quick(), nullptr);
  const auto begin = std::chrono::steady_clock::now();
  schedule.wait_or_throw(HttpError(Kind::kStatus, "later", seconds(1)));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, seconds(1));
}

TEST(RetryTest, ATooLongWaitIsTheError) {
  RetrySchedule schedule(quick(), nullptr);
  EXPECT_THROW(schedule.wait_or_throw(HttpError(Kind::kStatus, "tomorrow", seconds(86'400))),
               HttpError);
}

TEST(RetryTest, CancellationEndsTheWait) {
  CancellationToken token;
  RetrySchedule schedule(RetryPolicy(), &token);
  std::thread canceller([&] {
    std::this_thread::sleep_for(milliseconds(20));
    token.cancel();
  });
  EXPECT_THROW(schedule.wait_or_throw(HttpError(Kind::kStatus, "later", seconds(100))), Cancelled);
  canceller.join();
}

TEST(RetryTest, ReadsRetryAfter) {
  EXPECT_EQ(parse_retry_after("120"), seconds(120));
  EXPECT_EQ(parse_retry_after("2.5"), milliseconds(2500));
  EXPECT_EQ(parse_retry_after("0"), seconds(0));
  EXPECT_EQ(parse_retry_after("Fri, 31 Dec 1999 23:59:59 GMT"), seconds(0));
  for (const char* huge : {"1e9", "99999999999999999999999", "1e999"})
    EXPECT_EQ(parse_retry_after(huge), milliseconds(kLongestRetryAfter)) << huge;
  std::time_t later = std::time(nullptr) + 1000;
  char text[64];
  std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&later));
  EXPECT_NEAR(static_cast<double>(parse_retry_after(text)->count()), 1e6, 3e4);
  for (const char* bad : {"", "soon", "-5", "-1", "nan", "2s"})
    EXPECT_FALSE(parse_retry_after(bad)) << bad;
}

}  // namespace
}  // namespace vecframe::providers
