#include "models/tokenizer/tokenizer_json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "source_directory.h"

namespace vecframe::models {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::HasSubstr;

const fs::path kGoldens = fs::path(VECFRAME_SOURCE_DIR) / "tests/golden/tokenizers";

json load(const fs::path& path) {
  std::ifstream file(path);
  return json::parse(file);
}

class TokenizerGolden : public testing::TestWithParam<const char*> {};

TEST_P(TokenizerGolden, GivesTheIdsOfTheReference) {
  const auto tokenizer = read_tokenizer_json(kGoldens / GetParam() / "tokenizer.json").tokenizer;
  const json cases = load(kGoldens / GetParam() / "cases.json");
  ASSERT_GE(cases.size(), 300u);
  for (const json& one : cases) {
    const auto text = one.at("text").get<std::string>();
    EXPECT_EQ(tokenizer->encode(text), one.at("ids").get<std::vector<TokenId>>())
        << one.at("text").dump();
  }
}

INSTANTIATE_TEST_SUITE_P(All, TokenizerGolden,
                         testing::Values("clip", "gemma", "siglip2", "gemma_without_some_bytes"));

class TokenizerJson : public testing::Test {
 protected:
  void TearDown() override { fs::remove(path_); }
  // The message with which an edited copy of a golden file is refused.
  std::string refusal(const char* golden, const std::function<void(json&)>& edit) {
    json file = load(kGoldens / golden / "tokenizer.json");
    edit(file);
    std::ofstream(path_) << file.dump();
    return refusal();
  }
  std::string refusal() {
    try {
      read_tokenizer_json(path_);
    } catch (const RequestError& error) {
      return error.what();
    }
    return "accepted";
  }
  fs::path path_ =
      fs::path(testing::TempDir()) / ("tokenizer_" + std::to_string(getpid()) + ".json");
};

TEST_F(TokenizerJson, AnUnknownComponentIsNamed) {
  EXPECT_THAT(refusal("clip", [](json& f) { f["normalizer"]["normalizers"][0]["type"] = "NFKC"; }),
              testing::AllOf(HasSubstr("normalizer"), HasSubstr("NFKC")));
  EXPECT_THAT(
      refusal("clip",
              [](json& f) { f["pre_tokenizer"]["pretokenizers"][0]["behavior"] = "Isolated"; }),
      HasSubstr("pre-tokenizer"));
  EXPECT_THAT(refusal("clip", [](json& f) { f["model"]["type"] = "WordPiece"; }),
              HasSubstr("WordPiece"));
  EXPECT_THAT(refusal("clip", [](json& f) { f["model"]["fuse_unk"] = true; }),
              HasSubstr("fuse_unk"));
  EXPECT_THAT(refusal("clip", [](json& f) { f["model"]["dropout"] = 0.1; }), HasSubstr("dropout"));
  EXPECT_THAT(refusal("gemma", [](json& f) { f["model"]["ignore_merges"] = true; }),
              HasSubstr("model"));
  EXPECT_THAT(refusal("gemma", [](json& f) { f["added_tokens"][0]["lstrip"] = true; }),
              HasSubstr("added token"));
  EXPECT_THAT(refusal("gemma", [](json& f) { f["normalizer"]["content"] = "_"; }),
              HasSubstr("normalizer"));
  EXPECT_THAT(refusal("gemma", [](json& f) { f["model"]["unk_token"] = "<nothing>"; }),
              HasSubstr("unknown token"));
}

TEST_F(TokenizerJson, ADamagedFileIsAWrongRequest) {
  EXPECT_THAT(refusal(), HasSubstr("cannot be read"));
  for (const char* text :
       {"", "{", "[]", "{}", R"({"model": {"type": "BPE"}})", R"({"model": 3})"}) {
    std::ofstream(path_) << text;
    EXPECT_NE(refusal(), "accepted") << text;
  }
  EXPECT_THAT(refusal("clip",
                      [](json& f) {
                        f["model"]["merges"].push_back({"zq", "qz"});
                      }),
              HasSubstr("merge"));
  EXPECT_THAT(refusal("clip", [](json& f) { f["added_tokens"][0]["id"] = -4; }),
              HasSubstr("out of range"));
}

TEST_F(TokenizerJson, MergesMayBeStringsOfTheOlderForm) {
  const auto as_text = [](json& file) {
    for (json& merge : file["model"]["merges"]) {
      merge = merge[0].get<std::string>() + " " + merge[1].get<std::string>();
    }
  };
  ASSERT_EQ(refusal("clip", as_text), "accepted");
  const auto old_form = read_tokenizer_json(path_).tokenizer,
             new_form = read_tokenizer_json(kGoldens / "clip/tokenizer.json").tokenizer;
  EXPECT_EQ(old_form->encode("a photo of two dogs"), new_form->encode("a photo of two dogs"));
}

}  // namespace
}  // namespace vecframe::models
