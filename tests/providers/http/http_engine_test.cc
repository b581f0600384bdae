#include "providers/http/http_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <thread>

#include "remote/embedding_server.h"

namespace vecframe::providers {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

class HttpEngineTest : public testing::Test {
 protected:
  static EmbeddingServer& server() {
    static EmbeddingServer only;
    return only;
  }
  HttpRequest request(const std::string& name, const std::vector<std::string>& texts = {"a"}) {
    HttpRequest made;
    made.method = HttpRequest::Method::kPost;
    made.url = server().base_url(name) + "/embeddings";
    made.content_type = "application/json";
    made.secret_lines = {"Authorization: Bearer sk-canary"};
    for (const std::string& part :
         {std::string(R"({"model":"m","input":)"), nlohmann::json(texts).dump(), std::string("}")})
      made.upload.push_back(std::make_shared<const std::string>(part));
    return made;
  }
  static std::future<HttpOutcome> submit(HttpEngine& engine, HttpRequest request,
                                         std::size_t max_body = 1 << 20) {
    auto promise = std::make_shared<std::promise<HttpOutcome>>();
    std::future<HttpOutcome> future = promise->get_future();
    EXPECT_TRUE(engine.submit(std::move(request), max_body, [promise](HttpOutcome outcome) {
      promise->set_value(std::move(outcome));
    }));
    return future;
  }
};

TEST_F(HttpEngineTest, PostsTheParts) {
  HttpEngine engine(HttpEngineOptions(), nullptr);
  const HttpOutcome outcome = submit(engine, request("post", {"a", "bb"})).get();
  ASSERT_FALSE(outcome.error) << outcome.error->what();
  EXPECT_EQ(outcome.response.status, 200);
  EXPECT_EQ(nlohmann::json::parse(outcome.body).at("data").size(), 2u);
  const auto sent = server().requests("post");
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].at("authorization"), "Bearer sk-canary");
  EXPECT_EQ(sent[0].at("type"), "application/json");
  EXPECT_TRUE(sent[0].at("expect").is_null());
}

TEST_F(HttpEngineTest, KeepsConnections) {
  HttpEngine engine(HttpEngineOptions(), nullptr);
  for (int i = 0; i < 3; ++i) submit(engine, request("keep")).get();
  const auto sent = server().requests("keep");
  ASSERT_EQ(sent.size(), 3u);
  EXPECT_EQ(sent[0].at("port"), sent[2].at("port"));
}

TEST_F(HttpEngineTest, ManyAtATime) {
  server().set("many", {{"delay", 0.3}});
  HttpEngine engine(HttpEngineOptions(), nullptr);
  std::vector<std::future<HttpOutcome>> futures;
  for (int i = 0; i < 8; ++i) futures.push_back(submit(engine, request("many")));
  for (auto& future : futures) EXPECT_EQ(future.get().response.status, 200);
  int most = 0;
  for (const auto& entry : server().requests("many"))
    most = std::max(most, entry.at("in_flight").get<int>());
  EXPECT_GE(most, 2);
}

TEST_F(HttpEngineTest, IsFullAtItsCapacity) {
  server().set("full", {{"delay", 0.3}});
  HttpEngineOptions options;
  options.capacity = 2;
  HttpEngine engine(options, nullptr);
  auto first = submit(engine, request("full")), second = submit(engine, request("full"));
  EXPECT_FALSE(engine.submit(request("full"), 1000, [](HttpOutcome) { FAIL(); }));
  first.get();
  second.get();
  EXPECT_EQ(submit(engine, request("full")).get().response.status, 200);
}

TEST_F(HttpEngineTest, EveryStatusIsAnAnswerWithItsBody) {
  server().set("busy", {{"always", {429, {{"Retry-After", "7"}}, "not now"}}});
  HttpEngine engine(HttpEngineOptions(), nullptr);
  const HttpOutcome outcome = submit(engine, request("busy")).get();
  ASSERT_FALSE(outcome.error);
  EXPECT_EQ(outcome.response.status, 429);
  EXPECT_EQ(outcome.response.header("retry-after"), "7");
  EXPECT_EQ(outcome.body, "not now");
}

TEST_F(HttpEngineTest, RedirectsAreAnswers) {
  server().set("moved", {{"always", {307, {{"Location", server().base_url("other")}}, ""}}});
  HttpEngine engine(HttpEngineOptions(), nullptr);
  EXPECT_EQ(submit(engine, request("moved")).get().response.status, 307);
  EXPECT_TRUE(server().requests("other").empty());
}

TEST_F(HttpEngineTest, BodiesAreBounded) {
  server().set("endless", {{"endless", 8}});
  HttpEngine engine(HttpEngineOptions(), nullptr);
  const HttpOutcome outcome = submit(engine, request("endless"), 100'000).get();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->kind(), HttpError::Kind::kProtocol);
  EXPECT_THAT(outcome.error->what(), HasSubstr("longer than 100000 bytes"));
}

TEST_F(HttpEngineTest, OfALongRefusalTheBeginningIsKept) {
  server().set("wordy", {{"always", {500, nlohmann::json::object(), "why"}}, {"endless", 8}});
  HttpEngine engine(HttpEngineOptions(), nullptr);
  const HttpOutcome outcome = submit(engine, request("wordy")).get();
  ASSERT_FALSE(outcome.error) << outcome.error->what();
  EXPECT_EQ(outcome.response.status, 500);
  EXPECT_TRUE(outcome.body.starts_with("why"));
  EXPECT_LE(outcome.body.size(), 64u << 10);
}

TEST_F(HttpEngineTest, AnExchangeEndsInItsTime) {
  server().set("drip", {{"drip", 1}});
  HttpEngineOptions options;
  options.http.total_timeout = milliseconds(300);
  HttpEngine engine(options, nullptr);
  const HttpOutcome outcome = submit(engine, request("drip")).get();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->kind(), HttpError::Kind::kNetwork);
}

TEST_F(HttpEngineTest, AResetConnectionIsAnError) {
  server().set("reset", {{"reset", 1}});
  HttpEngine engine(HttpEngineOptions(), nullptr);
  const HttpOutcome outcome = submit(engine, request("reset")).get();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->kind(), HttpError::Kind::kNetwork);
}

TEST_F(HttpEngineTest, CancellationEndsAllAndTells) {
  server().set("slow", {{"delay", 20}});
  CancellationToken token;
  std::promise<void> told;
  HttpEngine engine(HttpEngineOptions(), &token, [&] { told.set_value(); });
  auto first = submit(engine, request("slow")), second = submit(engine, request("slow"));
  token.cancel();
  EXPECT_TRUE(first.get().cancelled);
  EXPECT_TRUE(second.get().cancelled);
  told.get_future().get();
}

TEST_F(HttpEngineTest, TheDestructorEndsWhatIsUnderWay) {
  server().set("slow2", {{"delay", 20}});
  std::future<HttpOutcome> future;
  {
    HttpEngine engine(HttpEngineOptions(), nullptr);
    future = submit(engine, request("slow2"));
  }
  EXPECT_TRUE(future.get().cancelled);
}

TEST_F(HttpEngineTest, WakesAtTheFirstOfTheTimes) {
  std::atomic<int> calls = 0;
  std::promise<HttpEngine::Clock::time_point> woken;
  HttpEngine engine(HttpEngineOptions(), nullptr, [&] {
    if (++calls == 1) woken.set_value(HttpEngine::Clock::now());
  });
  const auto now = HttpEngine::Clock::now();
  engine.wake_at(now + std::chrono::hours(1));
  engine.wake_at(now + milliseconds(50));
  EXPECT_GE(woken.get_future().get(), now + milliseconds(50));
}

TEST_F(HttpEngineTest, ACompletionMaySubmit) {
  HttpEngineOptions options;
  options.capacity = 1;
  HttpEngine engine(options, nullptr);
  std::promise<int> promise;
  ASSERT_TRUE(engine.submit(request("again"), 10'000, [&](HttpOutcome) {
    const bool begun = engine.submit(request("again"), 10'000, [&](HttpOutcome outcome) {
      promise.set_value(outcome.response.status);
    });
    if (!begun) promise.set_value(0);
  }));
  EXPECT_EQ(promise.get_future().get(), 200);
}

}  // namespace
}  // namespace vecframe::providers
