#include "providers/remote/openai_provider.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <map>

#include "embedding_server.h"

namespace vecframe::providers {
namespace {

using testing::HasSubstr;
using testing::Not;

class OpenAiProviderTest : public testing::Test {
 protected:
  OpenAiProviderTest()
      : provider_({}, [this](const std::string& name) -> std::optional<std::string> {
          const auto it = environment_.find(name);
          if (it == environment_.end()) return {};
          return it->second;
        }) {
    request_.model = "m";
    request_.dimensions = 8;
    request_.options["base_url"] = std::string("http://localhost:7997/v1/");
  }
  std::string refusal(const EmbedRequest& request) const {
    try {
      provider_.describe_pictures(request);
    } catch (const RequestError& error) {
      return error.what();
    }
    return "none";
  }
  std::string refusal_of(const std::string& option, const Value& value) const {
    EmbedRequest request = request_;
    request.options[option] = value;
    return refusal(request);
  }

  std::map<std::string, std::string> environment_;
  OpenAiProvider provider_;
  EmbedRequest request_;
};

TEST_F(OpenAiProviderTest, DescribesWithoutAskingAnybody) {
  const auto descriptor = provider_.describe_pictures(request_);
  EXPECT_EQ(descriptor->identity().dimension, 8);
  EXPECT_EQ(descriptor->identity().details.at("base_url"), "http://localhost:7997/v1");
  EmbedRequest known = request_;
  known.dimensions = {};
  known.model = "openai/clip-vit-large-patch14";
  EXPECT_EQ(provider_.describe_pictures(known)->identity().dimension, 768);
}

TEST_F(OpenAiProviderTest, AsksTheServerOnceForAnUnknownDimension) {
  EmbeddingServer server;
  server.set("a", {{"dimension", 24}});
  EmbedRequest request = request_;
  request.dimensions = {};
  request.options["base_url"] = server.base_url("a");
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(provider_.describe_pictures(request)->identity().dimension, 24);
  EXPECT_EQ(server.requests("a").size(), 1u);
  EXPECT_EQ(provider_.describe_texts(request)->identity().dimension, 24);
}

TEST_F(OpenAiProviderTest, WhereNobodyAnswersThePlanSaysSo) {
  EmbedRequest request = request_;
  request.dimensions = {};
  request.options["base_url"] = std::string("http://127.0.0.1:1/v1");
  const std::string message = refusal(request);
  for (const char* part : {"base_url: http://127.0.0.1:1/v1", "model='m'", "dimensions="})
    EXPECT_THAT(message, HasSubstr(part));
}

TEST_F(OpenAiProviderTest, AddressesOfTheEnvironment) {
  request_.options.clear();
  environment_["OPENAI_BASE_URL"] = "http://localhost:1234/v1";
  EXPECT_EQ(provider_.describe_pictures(request_)->identity().details.at("base_url"),
            "http://localhost:1234/v1");
  environment_.clear();
  EXPECT_THAT(refusal(request_), HasSubstr("embeds texts alone"));
  EXPECT_THROW(provider_.describe_texts(request_), RequestError);  // no key
  environment_["OPENAI_API_KEY"] = "sk-x";
  EXPECT_EQ(provider_.describe_texts(request_)->identity().dimension, 8);
}

TEST_F(OpenAiProviderTest, WrongAddresses) {
  for (const char* bad : {"localhost:7997", "ftp://x/v1", "", "file:///etc/passwd"})
    EXPECT_THAT(refusal_of("base_url", std::string(bad)), HasSubstr("base_url:")) << bad;
  for (const char* secret :
       {"http://me:canary@host/v1", "http://host/v1?key=canary", "http://host/v1#canary"}) {
    const std::string message = refusal_of("base_url", std::string(secret));
    EXPECT_THAT(message, HasSubstr("base_url: http://host/v1 has"));
    EXPECT_THAT(message, Not(HasSubstr("canary")));
  }
  EXPECT_THAT(refusal_of("base_url", std::string("http://host/v1/embeddings")),
              HasSubstr("leave out"));
}

TEST_F(OpenAiProviderTest, Keys) {
  EXPECT_EQ(refusal_of("api_key", std::string("sk-good")), "none");
  for (const char* bad :
       {"sk-canary\nX-Evil: 1", "sk canary", "sk-canary\r", "sk-canary\xc3\xa4"}) {
    const std::string message = refusal_of("api_key", std::string(bad));
    EXPECT_THAT(message, HasSubstr("api_key"));
    EXPECT_THAT(message, Not(HasSubstr("canary")));
  }
  EXPECT_THAT(refusal_of("api_key_env", std::string("MY_KEY")), HasSubstr("MY_KEY"));
  environment_["MY_KEY"] = "sk-mine";
  EXPECT_EQ(refusal_of("api_key_env", std::string("MY_KEY")), "none");
}

TEST_F(OpenAiProviderTest, WrongOptions) {
  EXPECT_THAT(refusal_of("api", std::string("cohere")), HasSubstr("openai, infinity, vllm"));
  EXPECT_THAT(refusal_of("quality", std::int64_t{80}), HasSubstr("PNG has none"));
  EXPECT_THAT(refusal_of("timeout", std::string("soon")), HasSubstr("timeout"));
  EXPECT_EQ(refusal_of("timeout", std::int64_t{5}), "none");
  EmbedRequest request = request_;
  request.model = {};
  EXPECT_THAT(refusal(request), HasSubstr("model: provider 'openai' has no default"));
}

TEST_F(OpenAiProviderTest, DefaultsHoldWhereTheCallIsSilent) {
  const OptionValues defaults{{"base_url", std::string("http://one/v1")},
                              {"image_format", std::string("jpeg")}};
  const OpenAiProvider provider(defaults);
  request_.options.erase("base_url");
  const auto details = provider.describe_pictures(request_)->identity().details;
  EXPECT_EQ(details.at("base_url"), "http://one/v1");
  EXPECT_EQ(details.at("image_format"), "jpeg 90");
  request_.options["base_url"] = std::string("http://two/v1");
  EXPECT_EQ(provider.describe_pictures(request_)->identity().details.at("base_url"),
            "http://two/v1");
}

TEST_F(OpenAiProviderTest, TheKeyOfOneServerGoesToNoOther) {
  EmbeddingServer server;
  const OpenAiProvider provider(
      {{"base_url", server.base_url("own")}, {"api_key", std::string("sk-canary")}},
      [](const std::string&) { return std::optional<std::string>(); });
  EmbedRequest request;
  request.model = "m";
  provider.describe_texts(request);
  EXPECT_EQ(server.requests("own").at(0).at("authorization"), "Bearer sk-canary");
  request.options["base_url"] = server.base_url("other");
  provider.describe_texts(request);
  EXPECT_TRUE(server.requests("other").at(0).at("authorization").is_null());
}

TEST_F(OpenAiProviderTest, OptionsSayWhichIsSecret) {
  for (const OptionSpec& option : provider_.options())
    EXPECT_EQ(option.secret, option.name == "api_key") << option.name;
}

}  // namespace
}  // namespace vecframe::providers
