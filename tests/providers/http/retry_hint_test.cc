#include "providers/http/retry_hint.h"

#include <gtest/gtest.h>

#include <ctime>

#include "providers/http/http_error.h"

namespace vecframe::providers {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

HttpResponse with(std::map<std::string, std::string, std::less<>> headers) {
  HttpResponse response;
  response.status = 429;
  response.headers = std::move(headers);
  return response;
}

TEST(RetryHintTest, TheMoreExactHeaderCounts) {
  EXPECT_EQ(retry_hint(with({{"retry-after-ms", "250"}, {"retry-after", "2"}})), milliseconds(250));
  EXPECT_EQ(retry_hint(with({{"retry-after", "2.5"}, {"x-ratelimit-reset", "9"}})),
            milliseconds(2500));
  EXPECT_EQ(retry_hint(with({{"retry-after-ms", "-3"}, {"retry-after", "2"}})), seconds(2));
  EXPECT_EQ(retry_hint(with({{"retry-after", "Fri, 31 Dec 1999 23:59:59 GMT"}})), seconds(0));
}

TEST(RetryHintTest, UnreadableHeadersSayNothing) {
  EXPECT_FALSE(retry_hint(with({})));
  EXPECT_FALSE(retry_hint(with({{"retry-after", "-1"}})));
  EXPECT_FALSE(retry_hint(with({{"retry-after-ms", "soon"}, {"x-ratelimit-reset", "later"}})));
}

TEST(RetryHintTest, HugeHintsAreBounded) {
  EXPECT_EQ(retry_hint(with({{"retry-after", "1e9"}})), milliseconds(kLongestRetryAfter));
  EXPECT_EQ(retry_hint(with({{"retry-after-ms", "99999999999999999"}})),
            milliseconds(kLongestRetryAfter));
}

TEST(RetryHintTest, ResetsOfTheLimitThatIsUsedUp) {
  EXPECT_EQ(retry_hint(with({{"x-ratelimit-reset-requests", "6m0s"},
                             {"x-ratelimit-reset-tokens", "20ms"},
                             {"x-ratelimit-remaining-requests", "59"},
                             {"x-ratelimit-remaining-tokens", "0"}})),
            milliseconds(20));
  EXPECT_EQ(
      retry_hint(with({{"x-ratelimit-reset-requests", "1s"}, {"x-ratelimit-reset-tokens", "3s"}})),
      seconds(3));
}

TEST(RetryHintTest, ResetsAtAUnixTime) {
  const auto hint =
      retry_hint(with({{"x-ratelimit-reset", std::to_string(std::time(nullptr) + 100)}}));
  ASSERT_TRUE(hint);
  EXPECT_NEAR(static_cast<double>(hint->count()), 1e5, 5e3);
  EXPECT_EQ(retry_hint(with({{"x-ratelimit-reset", std::to_string(std::time(nullptr) - 100)}})),
            seconds(0));
}

TEST(RetryHintTest, TheSentence) {
  EXPECT_EQ(retry_hint(with({}), "Please retry after 55 seconds."), seconds(55));
  EXPECT_EQ(retry_hint(with({}), "Rate limit reached. Please try again in 20ms."),
            milliseconds(20));
  EXPECT_FALSE(retry_hint(with({}), "Please retry after a while"));
}

TEST(RetryHintTest, Durations) {
  EXPECT_EQ(parse_duration("6m0s"), std::chrono::minutes(6));
  EXPECT_EQ(parse_duration("1h2m3.5s"), milliseconds(3'723'500));
  EXPECT_EQ(parse_duration("20ms"), milliseconds(20));
  EXPECT_EQ(parse_duration("7"), seconds(7));
  for (const char* bad : {"", "s", "-1s", "1x", "1s2", "1 s", "nan"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
}

}  // namespace
}  // namespace vecframe::providers
