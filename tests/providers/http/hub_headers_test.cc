#include "providers/http/hub_headers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "hub_server.h"
#include "vecframe/error.h"

namespace vecframe::providers {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using Kind = HubError::Kind;

std::string length_field(std::uint64_t length) {
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  return bytes;
}

const std::string kHeader = R"({"a":{"dtype":"F32","shape":[750000],"data_offsets":[0,3000000]}})";

std::string weights() { return length_field(kHeader.size()) + kHeader + long_text(3'000'000); }

class HubHeadersTest : public testing::Test {
 protected:
  void add_model(const std::string& name, const json& behaviour = json::object(),
                 const std::string& content = weights()) {
    server_.add_model(name, behaviour);
    server_.add_file(name, "model.safetensors", content);
  }
  HubHeaders fetch(const std::string& id) {
    return fetch_headers(*parse_hub_id(id), settings_, options_);
  }
  std::optional<Kind> refusal(const std::string& id, const std::string& words) {
    try {
      fetch(id);
    } catch (const HubError& error) {
      EXPECT_THAT(error.what(), HasSubstr(words));
      return error.kind();
    }
    return {};
  }
  std::vector<std::string> ranges() const {
    std::vector<std::string> all;
    for (const json& request : server_.requests("cdn"))
      all.push_back(request.at("range").is_null() ? "whole" : request.at("range"));
    return all;
  }
  static void expect_header_and_hole(const fs::path& path) {
    const std::string content = read_file(path);
    EXPECT_EQ(content.size(), weights().size());
    EXPECT_EQ(content.substr(8, kHeader.size()), kHeader);
    EXPECT_EQ(content.find_first_not_of('\0', 8 + kHeader.size()), std::string::npos);
  }

  HubServer server_;
  HubSettings settings_ = server_.settings();
  HubOptions options_ = HubServer::quick_options();
};

TEST_F(HubHeadersTest, BringsEverythingButTheWeights) {
  add_model("me/tiny");
  server_.add_file("me/tiny", "tokenizer.json", "a large vocabulary");
  server_.add_file("me/tiny", "README.md", "---\nlicense: mit\n---");
  fs::path directory;
  {
    const HubHeaders headers = fetch("me/tiny");
    directory = headers.directory->path();
    EXPECT_EQ(headers.commit.size(), 40u);
    expect_header_and_hole(directory / "model.safetensors");
    EXPECT_EQ(read_file(directory / "config.json"), R"({"model_type": "clip"})");
    EXPECT_TRUE(fs::exists(directory / "preprocessor_config.json"));
    EXPECT_TRUE(fs::exists(directory / "README.md"));
    EXPECT_FALSE(fs::exists(directory / "tokenizer.json"));
  }
  EXPECT_THAT(ranges(),
              ElementsAre("bytes=0-7", "bytes=8-" + std::to_string(8 + kHeader.size() - 1)));
  EXPECT_FALSE(fs::exists(directory));
  EXPECT_FALSE(fs::exists(settings_.cache));
}

TEST_F(HubHeadersTest, AServerWithoutRangesIsLeftAfterTheHeader) {
  // A tenth of the file comes at once, the rest over five minutes.
  add_model("me/old", {{"no_ranges", true}, {"slow", 300}});
  const auto start = std::chrono::steady_clock::now();
  expect_header_and_hole(fetch("me/old").directory->path() / "model.safetensors");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  EXPECT_THAT(ranges(), ElementsAre("bytes=0-7"));
}

TEST_F(HubHeadersTest, EveryShardOfAnIndexHasItsHeader) {
  add_model("me/big");
  fs::remove(server_.directory() / "repositories/me/big/model.safetensors");
  server_.add_file("me/big", "model.safetensors.index.json",
                   R"({"weight_map": {"a": "part-1.safetensors", "b": "part-2.safetensors"}})");
  server_.add_file("me/big", "part-1.safetensors", weights());
  server_.add_file("me/big", "part-2.safetensors", weights());
  const HubHeaders headers = fetch("me/big");
  expect_header_and_hole(headers.directory->path() / "part-1.safetensors");
  expect_header_and_hole(headers.directory->path() / "part-2.safetensors");
  EXPECT_TRUE(fs::exists(headers.directory->path() / "model.safetensors.index.json"));
}

TEST_F(HubHeadersTest, ABrokenAnswerIsAskedForAgainFromWhereItEnded) {
  add_model("me/broken", {{"truncate", 3}, {"truncate_times", 2}});
  expect_header_and_hole(fetch("me/broken").directory->path() / "model.safetensors");
  EXPECT_THAT(ranges(), ElementsAre("bytes=0-7", "bytes=3-7", "bytes=6-7",
                                    "bytes=8-" + std::to_string(8 + kHeader.size() - 1)));
}

TEST_F(HubHeadersTest, WhatIsNoSafetensorsFileIsRefused) {
  add_model("me/short", json::object(), "1234567");
  EXPECT_EQ(refusal("me/short", "too short"), Kind::kUnusable);
  add_model("me/zero", json::object(), length_field(0) + "{}");
  EXPECT_EQ(refusal("me/zero", "header of 0 bytes"), Kind::kUnusable);
  add_model("me/beyond", json::object(), length_field(3) + "{}");
  EXPECT_EQ(refusal("me/beyond", "header of 3 bytes in 10"), Kind::kUnusable);
  add_model("me/huge", json::object(), length_field(~std::uint64_t{0}) + "{}");
  EXPECT_EQ(refusal("me/huge", "header of 18446744073709551615"), Kind::kUnusable);
  add_model("me/shift", {{"range_shift", 1}});
  EXPECT_EQ(refusal("me/shift", "another part"), Kind::kBroken);
  add_model("me/refused", {{"range_refused", true}});
  EXPECT_EQ(refusal("me/refused", "status 416"), Kind::kBroken);
  add_model("me/changed", {{"corrupt", {"config.json"}}});
  EXPECT_EQ(refusal("me/changed", "checksum"), Kind::kBroken);
  EXPECT_EQ(refusal("me/none", "no such model"), Kind::kNotFound);
}

TEST_F(HubHeadersTest, ACancellationIsHeardWhileTheServerIsSilent) {
  add_model("me/silent", {{"drip", 300}});
  options_.http.low_speed_time = std::chrono::seconds(200);
  CancellationToken token;
  options_.cancellation = &token;
  std::thread stopper([&] {
    while (server_.requests("cdn").empty())
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    token.cancel();
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(fetch("me/silent"), Cancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  stopper.join();
}

}  // namespace
}  // namespace vecframe::providers
