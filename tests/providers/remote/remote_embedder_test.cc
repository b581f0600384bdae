// Against the server of embedding_server.py: what it does wrong reaches its rows alone.
#include "providers/remote/remote_embedder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <atomic>
#include <future>
#include <thread>

#include "embedding_server.h"

namespace vecframe::providers {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using Texts = std::vector<std::string>;
using Outcome = SendQueue::BatchResult;

constexpr const char* kKey = "sk-canary-0123456789";

class RemoteEmbedderTest : public testing::Test {
 protected:
  RemoteEmbedderTest() : name_(testing::UnitTest::GetInstance()->current_test_info()->name()) {
    model_.endpoint.provider = "openai";
    model_.endpoint.format = find_wire_format("openai");
    model_.endpoint.base_url = server().base_url(name_);
    model_.endpoint.model = "m";
    model_.endpoint.dimension = 8;
    model_.endpoint.key_name = "the environment variable OPENAI_API_KEY";
    model_.key = kKey;
    model_.send.first_wait = milliseconds(5);
    model_.send.longest_wait = milliseconds(20);
    model_.send.timeout = milliseconds(5000);
  }
  static EmbeddingServer& server() {
    static EmbeddingServer only;
    return only;
  }
  void behave(const json& behaviour) { server().set(name_, behaviour); }
  std::vector<json> requests() { return server().requests(name_); }

  template <class Input>
  std::vector<Outcome> outcomes_of(const std::vector<std::vector<Input>>& batches) {
    RemoteEmbedder<Input> embedder(model_, stop_);
    std::vector<std::promise<Outcome>> promises(batches.size());
    for (std::size_t i = 0; i < batches.size(); ++i)
      embedder.submit(batches[i], [&promises, i](Outcome outcome) {
        promises[i].set_value(std::move(outcome));
      });
    std::vector<Outcome> outcomes;
    for (auto& promise : promises) outcomes.push_back(promise.get_future().get());
    return outcomes;
  }
  Outcome outcome_of(const Texts& texts) {
    return std::move(
        outcomes_of<std::string_view>({std::vector<std::string_view>(texts.begin(), texts.end())})
            .front());
  }
  std::vector<RowVector> rows_of(const Texts& texts) {
    Outcome outcome = outcome_of(texts);
    if (auto* rows = std::get_if<std::vector<RowVector>>(&outcome)) return std::move(*rows);
    ADD_FAILURE() << failure_of(outcome);
    return std::vector<RowVector>(texts.size());
  }
  static std::string failure_of(const Outcome& outcome) {
    const auto* failure = std::get_if<std::exception_ptr>(&outcome);
    if (failure == nullptr) return "none";
    try {
      std::rethrow_exception(*failure);
    } catch (const Cancelled&) {
      return "cancelled";
    } catch (const RunError& error) {
      return error.what();
    }
  }
  // Every text has its own vector, or this error.
  void expect_vectors(const Texts& texts, const std::vector<RowVector>& rows,
                      const std::string& bad = "bad") {
    ASSERT_EQ(rows.size(), texts.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (texts[i].starts_with(bad)) {
        EXPECT_NE(rows[i].error, "") << texts[i];
        EXPECT_TRUE(rows[i].values.empty());
        continue;
      }
      EXPECT_EQ(rows[i].error, "") << texts[i];
      ASSERT_EQ(rows[i].values.size(), 8u);
      EXPECT_EQ(rows[i].values[0], static_cast<float>(texts[i].size()));
      EXPECT_EQ(rows[i].values[2], static_cast<float>(texts[i][1]));
    }
  }
  static Texts texts(std::size_t count) {
    Texts made;
    for (std::size_t i = 0; i < count; ++i)
      made.push_back(std::string(1 + i / 10, 't') + std::to_string(i) + "xyz");
    return made;
  }

  const std::string name_;
  RemoteModel model_;
  std::shared_ptr<CancellationToken> stop_ = std::make_shared<CancellationToken>();
};

TEST_F(RemoteEmbedderTest, Texts) {
  const Texts sent{"a text", "another \"one\"\n", "gr\xc3\xbc\xc3\x9f"};
  const std::vector<RowVector> rows = rows_of(sent);
  EXPECT_EQ(rows[0].values[1], 'a');
  EXPECT_EQ(rows[1].values[0], 14);
  EXPECT_EQ(rows[2].values[0], 4);
  const json request = requests().at(0);
  EXPECT_EQ(request.at("authorization"), std::string("Bearer ") + kKey);
  EXPECT_EQ(request.at("request"), (json{{"model", "m"}, {"encoding_format", "base64"}}));
}

TEST_F(RemoteEmbedderTest, Pictures) {
  std::vector<std::vector<std::uint8_t>> pixels;
  for (int i = 0; i < 9; ++i) pixels.emplace_back(12, static_cast<std::uint8_t>(i * 20));
  std::vector<Picture> pictures;
  for (const auto& bytes : pixels) pictures.push_back({2, 2, 3, bytes, nullptr});
  for (const char* format : {"openai", "infinity", "vllm"}) {
    behave(json::object());
    model_.endpoint.format = find_wire_format(format);
    Outcome outcome = std::move(outcomes_of<Picture>({pictures}).front());
    auto* rows = std::get_if<std::vector<RowVector>>(&outcome);
    ASSERT_NE(rows, nullptr) << failure_of(outcome);
    for (std::size_t i = 0; i < 9; ++i) {
      ASSERT_EQ((*rows)[i].error, "");
      EXPECT_EQ((*rows)[i].values[1], static_cast<float>(i * 20));
      EXPECT_EQ((*rows)[i].values[3], 2);
    }
    const json request = requests().at(0).at("request");
    EXPECT_EQ(request.value("modality", ""), std::string(format) == "infinity" ? "image" : "");
    EXPECT_EQ(request.value("endianness", ""), std::string(format) == "vllm" ? "little" : "");
  }
}

TEST_F(RemoteEmbedderTest, ThreeBadPicturesOf64) {
  std::vector<std::vector<std::uint8_t>> pixels;
  const std::set<std::size_t> bad{7, 20, 63};
  for (std::size_t i = 0; i < 64; ++i)
    pixels.emplace_back(27, static_cast<std::uint8_t>(bad.contains(i) ? 255 : i));
  std::vector<Picture> pictures;
  for (const auto& bytes : pixels) pictures.push_back({3, 3, 3, bytes, nullptr});
  Outcome outcome = std::move(outcomes_of<Picture>({pictures}).front());
  auto* rows = std::get_if<std::vector<RowVector>>(&outcome);
  ASSERT_NE(rows, nullptr) << failure_of(outcome);
  for (std::size_t i = 0; i < 64; ++i) {
    const RowVector& row = (*rows)[i];
    if (bad.contains(i)) {
      EXPECT_EQ(row.error, "the server answers 400: cannot read the picture");
    } else {
      ASSERT_EQ(row.error, "");
      EXPECT_EQ(row.values[0], static_cast<float>(i));
    }
  }
  EXPECT_LE(requests().size(), 37u);
}

TEST_F(RemoteEmbedderTest, DimensionsGoToTheServerOnlyIfGiven) {
  rows_of({"one"});
  EXPECT_FALSE(requests().back().at("request").contains("dimensions"));
  model_.endpoint.send_dimension = true;
  rows_of({"one"});
  EXPECT_EQ(requests().back().at("request").at("dimensions"), 8);
}

TEST_F(RemoteEmbedderTest, AnswersInAnyOrderReachTheirRows) {
  behave({{"data", "data[::-1]"}});
  const Texts sent = texts(20);
  expect_vectors(sent, rows_of(sent));
}

TEST_F(RemoteEmbedderTest, AnswersWithoutIndexCountByPosition) {
  behave({{"data", "[{'embedding': d['embedding']} for d in data]"}});
  const Texts sent = texts(20);
  expect_vectors(sent, rows_of(sent));
}

TEST_F(RemoteEmbedderTest, NumbersInPlaceOfBase64) {
  behave({{"base64", false}});
  const Texts sent = texts(5);
  expect_vectors(sent, rows_of(sent));
}

TEST_F(RemoteEmbedderTest, WhatNoAnswerMendsIsAnErrorOfTheRows) {
  const std::vector<std::pair<json, std::string>> faults{
      {{{"data", "data[:-1]"}}, "vectors for"},
      {{{"data", "data + data[:1]"}}, "more than"},
      {{{"data", "[{**d, 'index': 7} for d in data]"}}, "indices"},
      {{{"data", "[{**d, 'index': str(d['index'])} for d in data]"}}, "index"},
      {{{"data", "[{**d, 'embedding': None} for d in data]"}}, "no vector"},
      {{{"data", "[{**d, 'embedding': [None] * 8} for d in data]"}}, "null"},
      {{{"dimension", 5}}, "5 values in place of 8"},
      {{{"base64", "odd"}}, "bytes"},
      {{{"base64", "f64"}}, "16 values in place of 8"},
      {{{"base64", "plain"}}, "not base64"},
      {{{"base64", false}, {"text", "text.replace('1.0]', 'NaN]')"}}, "not JSON"},
      {{{"base64", false}, {"text", "text.replace('1.0]', '1e999]')"}}, "not JSON"},
      {{{"text", "text[:-20]"}}, "not JSON"},
      {{{"text", "'[' * 500000"}}, "too deep"},
      {{{"text", "text.replace('list', chr(0xdcff))"}}, "not JSON"},
      {{{"gzip", 4}}, "not JSON"},
      {{{"endless", 16}}, "longer than"},
      {{{"text", "''"}}, "not JSON"},
  };
  model_.send.max_retries = 1;
  for (const auto& [behaviour, message] : faults) {
    behave(behaviour);
    const Texts sent = texts(2);
    const std::vector<RowVector> rows = rows_of(sent);
    for (const RowVector& row : rows) {
      EXPECT_TRUE(row.values.empty()) << behaviour;
      EXPECT_THAT(row.error, HasSubstr(message)) << behaviour;
    }
    EXPECT_LE(requests().size(), 3u) << behaviour;
  }
}

TEST_F(RemoteEmbedderTest, ABadVectorIsARowOfItsOwn) {
  const Texts sent{"one", "two", "nan", "short", "five"};
  const std::vector<RowVector> rows = rows_of(sent);
  EXPECT_THAT(rows[2].error, HasSubstr("NaN"));
  EXPECT_THAT(rows[3].error, HasSubstr("7 values in place of 8"));
  for (const std::size_t good : {0, 1, 4}) EXPECT_EQ(rows[good].error, "");
  EXPECT_EQ(requests().size(), 2u);
}

TEST_F(RemoteEmbedderTest, APoisonedRowIsFound) {
  model_.send.max_retries = 2;
  Texts first = texts(16), second = texts(16);
  first[5] = "poison";
  model_.send.concurrency = 2;
  std::vector<Outcome> outcomes =
      outcomes_of<std::string_view>({{first.begin(), first.end()}, {second.begin(), second.end()}});
  expect_vectors(first, std::get<std::vector<RowVector>>(outcomes[0]), "poison");
  expect_vectors(second, std::get<std::vector<RowVector>>(outcomes[1]), "poison");
}

TEST_F(RemoteEmbedderTest, EveryFormOfAWaitIsKept) {
  std::time_t later = std::time(nullptr) + 2;
  char date[64];
  std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", std::gmtime(&later));
  const std::vector<std::pair<json, milliseconds>> hints{
      {{{"Retry-After", "1"}}, milliseconds(1000)},
      {{{"Retry-After", "0.5"}}, milliseconds(500)},
      {{{"retry-after-ms", "400"}, {"Retry-After", "60"}}, milliseconds(400)},
      {{{"x-ratelimit-reset-requests", "300ms"}}, milliseconds(300)},
      {{{"Retry-After", "Fri, 31 Dec 1999 23:59:59 GMT"}}, milliseconds(0)},
      {{{"Retry-After", "-1"}}, milliseconds(0)},
      {{{"Retry-After", "soon"}}, milliseconds(0)},
      {{{"Retry-After", date}}, milliseconds(0)},
  };
  for (const auto& [headers, wait] : hints) {
    behave({{"first", json::array({json::array({429, headers, "{}"})})}});
    const Texts sent = texts(2);
    expect_vectors(sent, rows_of(sent));
    const auto log = requests();
    ASSERT_EQ(log.size(), 2u) << headers;
    // The server's clock: the second request comes no earlier than it asked.
    EXPECT_GE(log[1].at("time").get<double>() - log[0].at("time").get<double>(),
              std::chrono::duration<double>(wait).count() * 0.99)
        << headers;
  }
}

TEST_F(RemoteEmbedderTest, NobodySendsWhileTheServerWantsQuiet) {
  behave({{"first", json::array({nullptr, nullptr,
                                 json::array({429, {{"retry-after-ms", "600"}}, "{}"})})}});
  const Texts sent = texts(2);
  const std::vector<std::string_view> batch(sent.begin(), sent.end());
  for (Outcome& outcome : outcomes_of<std::string_view>({12, batch}))
    expect_vectors(sent, std::get<std::vector<RowVector>>(std::move(outcome)));
  std::vector<double> refused, others;
  for (const json& entry : requests())
    (entry.at("status") == 429 ? refused : others).push_back(entry.at("time"));
  ASSERT_EQ(refused.size(), 1u);
  // Until the client has heard of it, which a busy machine delays, requests may still come.
  std::size_t quiet = 0, late = 0;
  for (const double time : others) {
    if (time > refused[0] + 0.3 && time < refused[0] + 0.59) ++quiet;
    if (time >= refused[0] + 0.59) ++late;
  }
  EXPECT_EQ(quiet, 0u);
  EXPECT_GE(late, 1u);
}

TEST_F(RemoteEmbedderTest, AWaitOfYearsIsAnErrorAtOnce) {
  behave({{"always", {429, {{"Retry-After", "1e9"}}, "{}"}}});
  const std::vector<RowVector> rows = rows_of(texts(2));
  EXPECT_THAT(rows[1].error, HasSubstr("beyond the deadline"));
  EXPECT_EQ(requests().size(), 1u);
}

TEST_F(RemoteEmbedderTest, WhatIsWrongForAllRowsEndsTheRunAfterOneRequest) {
  const auto error = [](const char* message, const char* code) {
    return json{{"error", {{"message", message}, {"code", code}}}}.dump();
  };
  const std::vector<std::tuple<int, std::string, std::string>> cases{
      {429, error("You exceeded your current quota", "insufficient_quota"), "OPENAI_API_KEY"},
      {401, error("Incorrect API key provided: sk-canary-0123456789", "invalid_api_key"),
       "OPENAI_API_KEY"},
      {402, error("pay", "payment"), "OPENAI_API_KEY"},
      {403, error("balance", "AUTHZ_INSUFFICIENT_BALANCE"), "OPENAI_API_KEY"},
      {404, error("The model `m` does not exist", "model_not_found"), "model='m'"},
      {400, error("unknown model", "model_not_found"), "model='m'"},
      {400, error("matryoshka is not supported", "x"), "model='m'"},
      {307, "", "base_url"},
  };
  const Texts sent = texts(2);
  const std::vector<std::string_view> batch(sent.begin(), sent.end());
  for (const auto& [status, body, fix] : cases) {
    behave({{"always", {status, {{"Location", server().base_url("elsewhere")}}, body}}});
    for (const Outcome& outcome : outcomes_of<std::string_view>({6, batch})) {
      const std::string message = failure_of(outcome);
      EXPECT_THAT(message, HasSubstr("openai: " + model_.endpoint.base_url));
      EXPECT_THAT(message, HasSubstr(std::to_string(status)));
      EXPECT_THAT(message, HasSubstr(fix));
      EXPECT_THAT(message, Not(HasSubstr("canary")));
    }
    EXPECT_EQ(requests().size(), 1u) << status;
  }
  EXPECT_TRUE(server().requests("elsewhere").empty());
}

TEST_F(RemoteEmbedderTest, AnErrorInsideASuccess) {
  behave({{"text", R"('{"error": {"message": "no such picture"}}')"}});
  EXPECT_EQ(rows_of({"one"})[0].error, "the server answers 400: no such picture");
}

TEST_F(RemoteEmbedderTest, ServersFailForAWhile) {
  model_.send.first_wait = milliseconds(300);
  model_.send.longest_wait = milliseconds(2000);
  behave({{"outage", 1.0}});
  const Texts sent = texts(4);
  const std::vector<std::string_view> batch(sent.begin(), sent.end());
  for (Outcome& outcome : outcomes_of<std::string_view>({40, batch}))
    expect_vectors(sent, std::get<std::vector<RowVector>>(std::move(outcome)));
  EXPECT_LE(requests().size(), 60u);
}

TEST_F(RemoteEmbedderTest, ResetConnections) {
  behave({{"reset", 2}});
  const Texts sent = texts(4);
  expect_vectors(sent, rows_of(sent));
  EXPECT_EQ(requests().size(), 3u);
}

TEST_F(RemoteEmbedderTest, ABodyShorterThanItsLength) {
  behave({{"long_by", 100}});
  model_.send.max_retries = 1;
  EXPECT_THAT(rows_of({"one"})[0].error, HasSubstr("2 tries"));
}

TEST_F(RemoteEmbedderTest, ASlowAnswerEndsInItsTime) {
  behave({{"drip", 1}});
  model_.send.timeout = milliseconds(300);
  model_.send.max_retries = 0;
  EXPECT_THAT(rows_of({"one"})[0].error, HasSubstr("Timeout"));
}

TEST_F(RemoteEmbedderTest, AHiddenLimitOfBytesIsLearned) {
  behave({{"max_bytes", 300'000}});
  Texts sent;
  for (std::size_t i = 0; i < 32; ++i) sent.push_back(std::to_string(i) + std::string(40'000, 'x'));
  const std::vector<std::string_view> batch(sent.begin(), sent.end());
  for (Outcome& outcome : outcomes_of<std::string_view>({3, batch}))
    expect_vectors(sent, std::get<std::vector<RowVector>>(std::move(outcome)));
  int refused = 0;
  for (const json& entry : requests()) refused += entry.at("status") == 413 ? 1 : 0;
  EXPECT_LE(refused, 4);
}

TEST_F(RemoteEmbedderTest, AServerThatHangsUpOnLargeRequests) {
  behave({{"max_bytes", 1'000'000}, {"unread", true}});
  model_.send.max_retries = 1;
  Texts sent;
  for (std::size_t i = 0; i < 8; ++i) sent.push_back(std::to_string(i) + std::string(400'000, 'x'));
  expect_vectors(sent, rows_of(sent));
}

TEST_F(RemoteEmbedderTest, ABatchOfManyBytesIsManyRequests) {
  Texts sent;
  for (std::size_t i = 0; i < 12; ++i)
    sent.push_back(std::to_string(i) + std::string(3'000'000, 'x'));
  expect_vectors(sent, rows_of(sent));
  for (const json& entry : requests()) EXPECT_LE(entry.at("bytes"), 17 << 20);
  EXPECT_EQ(requests().size(), 3u);
}

TEST_F(RemoteEmbedderTest, AHiddenLimitOfRowsIsLearned) {
  behave({{"max_items", 5}});
  const Texts sent = texts(16);
  const std::vector<std::string_view> batch(sent.begin(), sent.end());
  for (Outcome& outcome : outcomes_of<std::string_view>({3, batch}))
    expect_vectors(sent, std::get<std::vector<RowVector>>(std::move(outcome)));
}

TEST_F(RemoteEmbedderTest, AServerWithoutBase64) {
  behave({{"refuse_base64", true}});
  const Texts sent = texts(3);
  expect_vectors(sent, rows_of(sent));
  EXPECT_EQ(requests().size(), 2u);
}

TEST_F(RemoteEmbedderTest, ARateIsFound) {
  behave({{"rate", 40}});
  model_.send.first_wait = milliseconds(50);
  const Texts sent = texts(1);
  const std::vector<std::string_view> batch(sent.begin(), sent.end());
  for (Outcome& outcome : outcomes_of<std::string_view>({100, batch}))
    expect_vectors(sent, std::get<std::vector<RowVector>>(std::move(outcome)));
  // At most what was under way when the limit was met, each second.
  EXPECT_LE(requests().size(), 100u + 3 * 16);
}

TEST_F(RemoteEmbedderTest, StoppingEndsWhatIsUnderWayAndWhatWaits) {
  behave({{"delay", 20}});
  const Texts sent = texts(2);
  const std::vector<std::string_view> batch(sent.begin(), sent.end());
  RemoteEmbedder<std::string_view> embedder(model_, stop_);
  std::vector<std::promise<Outcome>> promises(8);
  for (auto& promise : promises)
    embedder.submit(batch, [&promise](Outcome outcome) { promise.set_value(std::move(outcome)); });
  while (requests().empty()) std::this_thread::sleep_for(milliseconds(5));
  stop_->cancel();
  for (auto& promise : promises) EXPECT_EQ(failure_of(promise.get_future().get()), "cancelled");
}

TEST_F(RemoteEmbedderTest, StoppingEndsAWait) {
  behave({{"always", {429, {{"Retry-After", "300"}}, "{}"}}});
  const Texts sent = texts(1);
  const std::vector<std::string_view> batch(sent.begin(), sent.end());
  RemoteEmbedder<std::string_view> embedder(model_, stop_);
  std::promise<Outcome> promise;
  embedder.submit(batch, [&](Outcome outcome) { promise.set_value(std::move(outcome)); });
  while (requests().empty()) std::this_thread::sleep_for(milliseconds(5));
  stop_->cancel();
  EXPECT_EQ(failure_of(promise.get_future().get()), "cancelled");
}

TEST_F(RemoteEmbedderTest, ADescriptorHoldsFactsAndNoKey) {
  const RemoteDescriptor<Picture> descriptor(model_);
  const EmbedderIdentity& identity = descriptor.identity();
  EXPECT_EQ(identity.provider, "openai");
  EXPECT_EQ(identity.dimension, 8);
  EXPECT_EQ(identity.details.at("base_url"), model_.endpoint.base_url);
  EXPECT_EQ(identity.details.at("image_format"), "png");
  std::string all = identity.provider + identity.model + identity.fingerprint;
  for (const auto& [name, value] : identity.details) all += name + value;
  EXPECT_THAT(all, Not(HasSubstr("canary")));
  EXPECT_TRUE(descriptor.rules().is_async);
  RemoteModel other = model_;
  other.encoding.format = image::Format::kJpeg;
  EXPECT_NE(RemoteDescriptor<Picture>(other).identity().fingerprint, identity.fingerprint);
  other = model_;
  other.key = "another";
  EXPECT_EQ(RemoteDescriptor<Picture>(other).identity().fingerprint, identity.fingerprint);
}

TEST_F(RemoteEmbedderTest, TheServerIsAskedForADimension) {
  model_.endpoint.dimension = 0;
  behave({{"dimension", 12}});
  EXPECT_EQ(ask_dimension<Picture>(model_), 12);
  EXPECT_EQ(ask_dimension<std::string_view>(model_), 12);
  behave({{"always", {404, json::object(), "no"}}});
  try {
    ask_dimension<Picture>(model_);
    FAIL();
  } catch (const RequestError& error) {
    for (const std::string& part :
         {std::string("base_url: ") + model_.endpoint.base_url, std::string("model='m'"),
          std::string("404"), std::string("dimensions=")})
      EXPECT_THAT(error.what(), HasSubstr(part));
  }
}

}  // namespace
}  // namespace vecframe::providers
