#include "providers/remote/refusal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vecframe::providers {
namespace {

using Kind = Refusal::Kind;
using testing::HasSubstr;
using testing::Not;

Refusal refusal(int status, const std::string& body = "",
                std::map<std::string, std::string, std::less<>> headers = {}) {
  HttpResponse response;
  response.status = status;
  response.headers = std::move(headers);
  return read_refusal(response, body, "sk-canary");
}

std::string error(const std::string& message, const std::string& more = "") {
  return R"({"error":{"message":")" + message + "\"" + more + "}}";
}

TEST(RefusalTest, Statuses) {
  for (const int status : {401, 402, 403, 404, 405, 410, 501, 301, 307})
    EXPECT_EQ(refusal(status).kind, Kind::kRun) << status;
  for (const int status : {408, 409, 500, 502, 503, 504, 529})
    EXPECT_EQ(refusal(status).kind, Kind::kFailed) << status;
  for (const int status : {400, 415, 422}) EXPECT_EQ(refusal(status).kind, Kind::kRows) << status;
  EXPECT_EQ(refusal(413).kind, Kind::kTooLarge);
  EXPECT_EQ(refusal(429).kind, Kind::kBusy);
}

TEST(RefusalTest, AnAccountWithoutMeansIsNotBusy) {
  EXPECT_EQ(refusal(429, error("no", R"(,"code":"insufficient_quota")")).kind, Kind::kRun);
  EXPECT_EQ(refusal(429, error("no", R"(,"type":"insufficient_quota")")).kind, Kind::kRun);
  EXPECT_EQ(refusal(429, error("You exceeded your current quota, please check")).kind, Kind::kRun);
  EXPECT_EQ(refusal(429, error("slow down", R"(,"code":"rate_limit_exceeded")")).kind, Kind::kBusy);
}

TEST(RefusalTest, WhatIsWrongWithTheModelIsWrongForAllRows) {
  EXPECT_EQ(refusal(400, error("no", R"(,"code":"model_not_found")")).kind, Kind::kRun);
  EXPECT_EQ(refusal(400, error("no", R"(,"param":"model")")).kind, Kind::kRun);
  EXPECT_EQ(refusal(400, error("The model `x` does not exist.")).kind, Kind::kRun);
  EXPECT_EQ(refusal(422, R"({"detail":[{"loc":["body","dimensions"],"msg":"too many"}]})").kind,
            Kind::kRun);
  EXPECT_EQ(refusal(400, error("cannot identify image file")).kind, Kind::kRows);
  EXPECT_EQ(refusal(422, R"({"detail":[{"loc":["body","input"],"msg":"too many items"}]})").kind,
            Kind::kRows);
}

TEST(RefusalTest, TheWishForBase64) {
  EXPECT_EQ(refusal(400, error("no", R"(,"param":"encoding_format")")).kind, Kind::kBase64);
  EXPECT_EQ(refusal(422, R"({"detail":[{"loc":["body","encoding_format"],"msg":"no"}]})").kind,
            Kind::kBase64);
}

TEST(RefusalTest, SentencesFromWhereverTheyStand) {
  EXPECT_EQ(refusal(400, error("one")).message, "the server answers 400: one");
  EXPECT_EQ(refusal(400, R"({"error":"two"})").message, "the server answers 400: two");
  EXPECT_EQ(refusal(400, R"({"message":"three"})").message, "the server answers 400: three");
  EXPECT_EQ(refusal(400, R"({"detail":"four"})").message, "the server answers 400: four");
  EXPECT_EQ(refusal(422, R"({"detail":[{"loc":["body","input"],"msg":"five"}]})").message,
            "the server answers 422: five (input)");
  EXPECT_EQ(refusal(502, "<html>bad gateway</html>").message, "the server answers 502");
  EXPECT_EQ(refusal(400, R"({"detail":[7,{"msg":{}}]})").message, "the server answers 400");
  EXPECT_EQ(refusal(400, std::string(60'000, '[')).message, "the server answers 400");
}

TEST(RefusalTest, MessagesAreShortPlainAndWithoutTheKey) {
  const std::string message =
      refusal(401,
              error(R"(Incorrect key sk-canary\n\u001b[31m sk-canary )" + std::string(5000, 'x')))
          .message;
  EXPECT_THAT(message, Not(HasSubstr("canary")));
  EXPECT_THAT(message, HasSubstr("Incorrect key ***"));
  EXPECT_LT(message.size(), 300u);
  for (const char c : message) EXPECT_GE(c, ' ');
}

TEST(RefusalTest, RedirectsShowWhereTo) {
  const std::string message =
      refusal(308, "", {{"location", "https://me:pw@other.example/v1/embeddings?sig=1"}}).message;
  EXPECT_THAT(message, HasSubstr("https://other.example/v1/embeddings"));
  EXPECT_THAT(message, Not(HasSubstr("sig")));
}

TEST(RefusalTest, HowLongToWait) {
  EXPECT_EQ(refusal(429, "", {{"retry-after", "2"}}).wait, std::chrono::seconds(2));
  EXPECT_EQ(refusal(503, error("retry after 3 seconds")).wait, std::chrono::seconds(3));
  EXPECT_FALSE(refusal(400, "", {{"retry-after", "2"}}).wait);
}

TEST(RefusalTest, AnErrorInsideASuccessSaysItsStatusItself) {
  EXPECT_EQ(refusal(200, error("later", R"(,"code":503)")).kind, Kind::kFailed);
  EXPECT_EQ(refusal(200, error("later", R"(,"code":"429")")).kind, Kind::kBusy);
  EXPECT_EQ(refusal(200, error("bad picture", R"(,"code":"invalid")")).kind, Kind::kRows);
}

}  // namespace
}  // namespace vecframe::providers
