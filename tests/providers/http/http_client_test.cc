#include "providers/http/http_client.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <thread>

#include "hub_server.h"

namespace vecframe::providers {
namespace {

using testing::HasSubstr;
using testing::Not;
using Kind = HttpError::Kind;

class HttpClientTest : public testing::Test {
 protected:
  // The error of one GET of /api/models/<model>/revision/main.
  HttpError failure(const std::string& model, HttpOptions options = HttpOptions()) {
    HttpClient client(std::move(options), nullptr);
    std::string text;
    try {
      const HttpResponse response = client.exchange_text(request(model), 10'000, text);
      ADD_FAILURE() << "status " << response.status;
    } catch (const HttpError& error) {
      return error;
    }
    return {Kind::kProtocol, "none"};
  }
  HttpRequest request(const std::string& model) {
    HttpRequest made;
    made.url = server_.url() + "/api/models/" + model + "/revision/main";
    made.token = "hf_secret";
    return made;
  }
  HubServer server_;
};

TEST_F(HttpClientTest, SendsTokenAndAgentAndReadsTheAnswer) {
  server_.add_model("me/tiny");
  HttpClient client(HttpOptions(), nullptr);
  std::string text;
  const HttpResponse response = client.exchange_text(request("me/tiny"), 10'000, text);
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.header("content-type"), "application/json");
  EXPECT_THAT(text, HasSubstr("model.safetensors"));
  const auto sent = server_.requests().front();
  EXPECT_EQ(sent.at("authorization"), "Bearer hf_secret");
  EXPECT_EQ(sent.at("agent"), "vecframe");
}

TEST_F(HttpClientTest, TheTokenStaysWithItsOrigin) {
  server_.add_model("me/away", {{"api_elsewhere", true}});
  server_.add_file("me/away", "api.json", "{}");
  HttpClient client(HttpOptions(), nullptr);
  std::string text;
  EXPECT_EQ(client.exchange_text(request("me/away"), 10'000, text).status, 200);
  EXPECT_EQ(text, "{}");
  const auto elsewhere = server_.requests("cdn");
  ASSERT_EQ(elsewhere.size(), 1u);
  EXPECT_TRUE(elsewhere[0].at("authorization").is_null());
}

TEST_F(HttpClientTest, RedirectsAreBounded) {
  server_.add_model("me/loop", {{"api_loop", true}});
  EXPECT_THAT(failure("me/loop").what(), HasSubstr("redirects"));
  EXPECT_EQ(server_.requests().size(), 7u);
}

TEST_F(HttpClientTest, RedirectsLeadToHttpOnly) {
  server_.add_model("me/file", {{"api_location", "file:///etc/passwd"}});
  EXPECT_EQ(failure("me/file").kind(), Kind::kProtocol);
  server_.add_model("me/none", {{"api_location", ""}});
  EXPECT_EQ(failure("me/none").kind(), Kind::kProtocol);
}

TEST_F(HttpClientTest, HeadersAreBounded) {
  server_.add_model("me/headers", {{"api_headers", 90}});
  EXPECT_THAT(failure("me/headers").what(), HasSubstr("headers"));
}

TEST_F(HttpClientTest, SmallAnswersAreBounded) {
  server_.add_model("me/long", {{"api_body", std::string(20'000, 'x')}});
  EXPECT_THAT(failure("me/long").what(), HasSubstr("longer than 10000 bytes"));
}

TEST_F(HttpClientTest, StatusesThatPassAreErrorsToRetry) {
  server_.add_model("me/busy", {{"api", {429, 503}}, {"retry_after", 7}});
  const HttpError busy = failure("me/busy");
  EXPECT_EQ(busy.kind(), Kind::kStatus);
  EXPECT_EQ(busy.retry_after(), std::chrono::seconds(7));
  EXPECT_THAT(failure("me/busy").what(), HasSubstr("503"));
}

TEST_F(HttpClientTest, OtherStatusesAreReturned) {
  HttpClient client(HttpOptions(), nullptr);
  std::string text;
  const HttpResponse response = client.exchange_text(request("me/missing"), 10'000, text);
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.header("x-error-code"), "RepoNotFound");
  EXPECT_EQ(text, "");
}

TEST_F(HttpClientTest, ASilentServerTimesOut) {
  server_.add_model("me/silent", {{"api_silence", 20}});
  HttpOptions options;
  options.low_speed_time = std::chrono::seconds(1);
  const HttpError error = failure("me/silent", options);
  EXPECT_EQ(error.kind(), Kind::kNetwork);
}

TEST_F(HttpClientTest, CancellationEndsAnExchange) {
  server_.add_model("me/silent", {{"api_silence", 20}});
  CancellationToken token;
  HttpClient client(HttpOptions(), &token);
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    token.cancel();
  });
  std::string text;
  EXPECT_THROW(client.exchange_text(request("me/silent"), 10'000, text), Cancelled);
  canceller.join();
}

TEST_F(HttpClientTest, NobodyThere) {
  // A port that is bound but does not listen refuses.
  const int file = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(file, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  socklen_t size = sizeof address;
  ASSERT_EQ(getsockname(file, reinterpret_cast<sockaddr*>(&address), &size), 0);
  HttpClient client(HttpOptions(), nullptr);
  HttpRequest made;
  made.url =
      "http://me:password@127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/x?signature=s";
  made.token = "hf_secret";
  try {
    client.exchange(made);
    FAIL() << "answered";
  } catch (const HttpError& error) {
    EXPECT_EQ(error.kind(), Kind::kConnect);
    for (const char* secret : {"password", "signature", "hf_secret"})
      EXPECT_THAT(error.what(), Not(HasSubstr(secret)));
  }
  close(file);
}

TEST_F(HttpClientTest, OtherProtocolsAreRefused) {
  HttpClient client(HttpOptions(), nullptr);
  HttpRequest made;
  made.url = "file:///etc/passwd";
  EXPECT_THROW(client.exchange(made), HttpError);
}

TEST_F(HttpClientTest, WhatABodyThrowsComesOut) {
  struct Thrower final : HttpBody {
    void begin(const HttpResponse&) override {}
    void write(std::span<const std::byte>) override { throw std::logic_error("from the body"); }
  } body;
  server_.add_model("me/tiny");
  HttpClient client(HttpOptions(), nullptr);
  EXPECT_THROW(client.exchange(request("me/tiny"), &body), std::logic_error);
  std::string text;  // and the client lives on
  EXPECT_EQ(client.exchange_text(request("me/tiny"), 10'000, text).status, 200);
}

}  // namespace
}  // namespace vecframe::providers
