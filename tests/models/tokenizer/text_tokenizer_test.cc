// What stands around the ids of a text, by the files of a model's directory.

#include "models/tokenizer/text_tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "source_directory.h"

namespace vecframe::models {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Ids = std::vector<TokenId>;

const fs::path kGoldens = fs::path(VECFRAME_SOURCE_DIR) / "tests/golden/texts";

// A copy of the tokenizer's files of a golden model.
class TextTokenizerTest : public testing::Test {
 protected:
  ~TextTokenizerTest() override { fs::remove_all(directory_); }

  void copy(const char* golden) {
    fs::remove_all(directory_);
    fs::create_directories(directory_);
    for (const char* name :
         {"tokenizer.json", "tokenizer_config.json", "vocab.json", "merges.txt", "spiece.model"}) {
      if (fs::exists(kGoldens / golden / name))
        fs::copy_file(kGoldens / golden / name, directory_ / name);
    }
  }
  template <class F>
  void edit(const char* name, F change) {
    json value;
    std::ifstream(directory_ / name) >> value;
    change(value);
    write(name, value.dump());
  }
  void write(const char* name, const std::string& text) {
    std::ofstream(directory_ / name, std::ios::binary) << text;
  }
  std::shared_ptr<const TextTokenizer> read() const { return read_tokenizer(directory_); }
  std::string refusal() const {
    try {
      read();
    } catch (const RequestError& error) {
      return error.what();
    }
    return "accepted";
  }

  fs::path directory_ =
      fs::path(testing::TempDir()) / ("text_tokenizer_" + std::to_string(getpid()));
};

TEST_F(TextTokenizerTest, ClipKeepsBothEndsWhenItTruncates) {
  const auto tokenizer = read_tokenizer(kGoldens / "clip_text");
  EXPECT_THAT(tokenizer->tokenize("", 20), ElementsAre(790, 791));
  const Ids whole = tokenizer->tokenize("a photo of a cat", 20),
            cut = tokenizer->tokenize("a photo of a cat", 4);
  EXPECT_THAT(cut, ElementsAre(790, whole[1], whole[2], 791));
  EXPECT_THAT(tokenizer->tokenize("a photo of a cat", 2), ElementsAre(790, 791));
}

TEST_F(TextTokenizerTest, WithoutPostProcessorClipStillHasItsEnds) {
  copy("clip_text");
  edit("tokenizer.json", [](json& t) { t["post_processor"] = nullptr; });
  EXPECT_THAT(read()->tokenize("", 20), ElementsAre(790, 791));
  edit("tokenizer.json", [](json& t) { t["post_processor"] = {{"type", "BertProcessing"}}; });
  EXPECT_THAT(refusal(), AllOf(HasSubstr("post-processor"), HasSubstr("BertProcessing")));
}

TEST_F(TextTokenizerTest, TheOlderFilesGiveTheSameIds) {
  const auto old_form = read_tokenizer(kGoldens / "clip_legacy");
  // The same vocabulary and merges in a file of the new form.
  copy("aimv2");
  std::ifstream vocabulary(kGoldens / "clip_legacy/vocab.json"),
      merges(kGoldens / "clip_legacy/merges.txt"), file(kGoldens / "clip_legacy/golden.json");
  edit("tokenizer.json", [&](json& t) {
    t["model"]["vocab"] = json::parse(vocabulary);
    t["model"]["merges"] = json::array();
    std::string line;
    std::getline(merges, line);  // the version
    while (std::getline(merges, line)) t["model"]["merges"].push_back(line);
  });
  const auto new_form = read();
  const json golden = json::parse(file);
  ASSERT_GE(golden.at("texts").size(), 100u);
  for (const auto& text : golden.at("texts")) {
    const auto words = text.get<std::string>();
    EXPECT_EQ(old_form->tokenize(words, 77), new_form->tokenize(words, 77)) << words;
  }
}

TEST_F(TextTokenizerTest, DamagedOlderFilesAreRefused) {
  copy("clip_legacy");
  write("merges.txt", "#version: 0.2\na b c\n");
  EXPECT_THAT(refusal(), HasSubstr("'a b c' is not a pair"));
  write("merges.txt", "qqqq zzzz\n");
  EXPECT_THAT(refusal(), HasSubstr("merge 'qqqq zzzz'"));
  write("merges.txt", "");
  for (const char* text : {"", "[]", "3", "{\"a\": -1}", "{\"a\": 1e40}", "{\"a\": \"b\"}", "{}"}) {
    write("vocab.json", text);
    EXPECT_THAT(refusal(), HasSubstr("vocab.json")) << text;
  }
}

TEST_F(TextTokenizerTest, PaddingStandsWhereTheFilesSay) {
  copy("siglip2");
  const Ids right = read()->tokenize_padded("a cat", 16);
  EXPECT_EQ(right.size(), 16u);
  EXPECT_EQ(right.back(), 0);
  const Ids bare = read()->tokenize("a cat", 16);
  EXPECT_EQ(bare.back(), 1) << "the end token";
  edit("tokenizer_config.json", [](json& c) { c["padding_side"] = "left"; });
  Ids left(16 - bare.size(), 0);
  left.insert(left.end(), bare.begin(), bare.end());
  EXPECT_EQ(read()->tokenize_padded("a cat", 16), left);
  // Not said, it is as the tokenizer's class has it.
  edit("tokenizer_config.json", [](json& c) { c.erase("padding_side"); });
  EXPECT_EQ(read()->tokenize_padded("a cat", 16), left);
  edit("tokenizer_config.json", [](json& c) { c["truncation_side"] = "left"; });
  EXPECT_THAT(refusal(), HasSubstr("truncation_side"));
}

TEST_F(TextTokenizerTest, SpecialTokensOfTheSettingsAreMatchedToo) {
  copy("clip_text");
  const Ids before = read()->tokenize("hi!", 20);
  edit("tokenizer_config.json", [](json& c) { c["pad_token"] = "!"; });
  const Ids after = read()->tokenize("hi!", 20);
  json file;
  std::ifstream(directory_ / "tokenizer.json") >> file;
  EXPECT_EQ(after.at(after.size() - 2), file["model"]["vocab"]["!"].get<TokenId>());
  EXPECT_NE(before, after);
  edit("tokenizer_config.json", [](json& c) {
    c["pad_token"] = {{"content", "!"}, {"lstrip", true}};
  });
  EXPECT_THAT(refusal(), HasSubstr("special token"));
}

TEST_F(TextTokenizerTest, DamagedSettingsAreWrongRequests) {
  for (const char* text : {"", "[", "[]", "{\"truncation_side\": 3}", "{\"do_lower_case\": 3}",
                           "{\"pad_token\": {}}", "{\"added_tokens_decoder\": {\"1\": {}}}"}) {
    copy("clip_text");
    write("tokenizer_config.json", text);
    EXPECT_NE(refusal(), "accepted") << text;
  }
}

TEST_F(TextTokenizerTest, HostileTokenizerJson) {
  copy("clip_text");
  const std::string deep(100000, '['), deep_objects = [] {
    std::string text;
    for (int i = 0; i < 100000; ++i) text += "{\"a\":";
    return text;
  }();
  for (const std::string& text :
       {deep, deep_objects, std::string("{\"model\":{\"vocab\":{\"a\":[]}}}"),
        std::string("{\"model\":{\"vocab\":{\"a\":4294967296}}}"),
        std::string("{\"model\":{\"vocab\":{\"a\":{\"b\":1}}}}"),
        std::string("{\"model\":{\"vocab\":{\"a\":1},\"merges\":[[\"a\"]]}}"),
        std::string("{\"model\":{\"vocab\":{\"a\":1},\"merges\":[[\"a\",\"a\",\"a\"]]}}"),
        std::string("{\"model\":{\"vocab\":{\"a\":1},\"merges\":[[[\"a\"]]]}}"),
        std::string("{\"model\":{\"vocab\":{\"a\":1},\"merges\":[{\"a\":1}]}}"),
        std::string("{\"model\":{\"vocab\":{\"a\":1},\"merges\":[1]}}"),
        std::string("{\"model\":{\"type\":\"BPE\",\"vocab\":[[\"a\",1]]}}"), std::string("\xFF")}) {
    write("tokenizer.json", text);
    EXPECT_NE(refusal(), "accepted") << text.substr(0, 60);
  }
}

TEST_F(TextTokenizerTest, MergesMayStandBeforeTheVocabulary) {
  copy("clip_text");
  json file;
  std::ifstream(directory_ / "tokenizer.json") >> file;
  const Ids expected = read()->tokenize("a photo of two dogs", 20);
  // dump() sorts the keys, so that "merges" comes before "vocab".
  write("tokenizer.json", file.dump());
  EXPECT_EQ(read()->tokenize("a photo of two dogs", 20), expected);
}

TEST_F(TextTokenizerTest, ADamagedSentencePieceModelIsAWrongRequest) {
  copy("siglip");
  if (!VECFRAME_TEST_SENTENCEPIECE) {
    EXPECT_THAT(refusal(), HasSubstr("VECFRAME_SENTENCEPIECE"));
    return;
  }
  ASSERT_EQ(refusal(), "accepted");
  for (const char* text : {"", "not a model", "\x0A\xFF\xFF\xFF\xFF"}) {
    write("spiece.model", text);
    EXPECT_THAT(refusal(), HasSubstr("spiece.model")) << text;
  }
}

// 400 texts and a few long ones (tools/make_golden_tokenizers.py).
TEST_F(TextTokenizerTest, SiglipGivesTheIdsOfTheReference) {
  if (!VECFRAME_TEST_SENTENCEPIECE) GTEST_SKIP() << "built without sentencepiece";
  const auto tokenizer = read_tokenizer(kGoldens / "siglip");
  std::ifstream file(kGoldens.parent_path() / "tokenizers/siglip/cases.json");
  const json cases = json::parse(file);
  ASSERT_GE(cases.size(), 400u);
  for (const json& one : cases) {
    const auto text = one.at("text").get<std::string>();
    EXPECT_EQ(tokenizer->tokenize(text, 1 << 20), one.at("ids").get<Ids>()) << one.at("text");
  }
}

// The library follows the table of replacements without looking; see sentencepiece_check.h.
TEST_F(TextTokenizerTest, NoByteOfASentencePieceModelLeadsOutOfIt) {
  if (!VECFRAME_TEST_SENTENCEPIECE) GTEST_SKIP() << "built without sentencepiece";
  copy("siglip");
  std::ifstream file(kGoldens / "siglip/spiece.model", std::ios::binary);
  const std::string model{std::istreambuf_iterator<char>(file), {}};
  int accepted = 0, refused = 0;
  for (std::size_t i = 0; i < model.size(); ++i) {
    std::string damaged = model;
    damaged[i] = '\xB8';
    write("spiece.model", damaged);
    try {
      EXPECT_EQ(read()->tokenize_padded("a caf\xC3\xA9\xE3\x80\x80x", 16).size(), 16u);
      ++accepted;
    } catch (const RequestError&) {
      ++refused;
    }
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 100);
}

// Long texts are encoded in parts, cut between characters that the vocabulary lacks.
TEST_F(TextTokenizerTest, TheIdsOfALongTextAreThoseOfItsParts) {
  if (!VECFRAME_TEST_SENTENCEPIECE) GTEST_SKIP() << "built without sentencepiece";
  const auto tokenizer = read_tokenizer(kGoldens / "siglip");
  const auto ids_of = [&](const std::string& text) { return tokenizer->tokenize(text, 1 << 20); };
  // "cat", a run of one unknown, "cat": the run is one id however long it is.
  const std::string unknown = "\xE4\xB8\x80\xE4\xB9\x81";
  std::string run;
  while (run.size() < 100000) run += unknown;
  EXPECT_EQ(ids_of("cat" + run + "cat"), ids_of("cat" + unknown + "cat"));
  // Words, of which each has its ids wherever it stands.
  std::string words;
  Ids expected;
  const Ids word = ids_of("cat" + unknown);
  while (words.size() < 60000) {
    words += (words.empty() ? "" : " ") + ("cat" + unknown);
    expected.insert(expected.end(), word.begin(), word.end() - 1);
  }
  expected.push_back(word.back());
  EXPECT_EQ(ids_of(words), expected);
}

class HostileTexts : public testing::TestWithParam<const char*> {};

// Invalid UTF-8 is turned away before it comes here; if it does come, ids come out all the same.
TEST_P(HostileTexts, GiveIds) {
  if (std::string(GetParam()) == "siglip" && !VECFRAME_TEST_SENTENCEPIECE)
    GTEST_SKIP() << "built without sentencepiece";
  const auto tokenizer = read_tokenizer(kGoldens / GetParam());
  const TokenId largest = tokenizer->largest_id();
  const std::string null_byte("a\0b", 3);
  for (const std::string& text :
       {std::string("\xFF"), std::string("\xC3"), std::string("\xED\xA0\x80"),
        std::string("cat\xF0\x9F"), std::string("\xE2\x96"), null_byte, std::string(300, '\x80'),
        std::string("<|endoftext|"), std::string("\xEF\xBF\xBE"),
        std::string("\xF4\x8F\xBF\xBF")}) {
    const Ids ids = tokenizer->tokenize_padded(text, 16);
    EXPECT_EQ(ids.size(), 16u);
    for (const TokenId id : ids) EXPECT_TRUE(id >= 0 && id <= largest);
  }
}

// A minute each, if anything took the square of a text's length.
TEST_P(HostileTexts, OfAMegabyteAreNoTrap) {
  if (std::string(GetParam()) == "siglip" && !VECFRAME_TEST_SENTENCEPIECE)
    GTEST_SKIP() << "built without sentencepiece";
  const auto tokenizer = read_tokenizer(kGoldens / GetParam());
  constexpr std::size_t kMegabyte = 1 << 20;
  for (const char* piece :
       {"a", "a photo of a cat ", " ", "<", "1", "\xCC\x81\xCC\x96", "\xE2\x96\x81", "\xCE\xA3'",
        "\xE4\xB8\x80\xE4\xB9\x81\xF0\x9F\x99\x82"}) {
    std::string text = "a";
    while (text.size() < kMegabyte) text += piece;
    EXPECT_EQ(tokenizer->tokenize_padded(text, 16).size(), 16u) << piece;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, HostileTexts, testing::Values("clip_text", "siglip2", "siglip"),
                         [](const auto& parameter) { return std::string(parameter.param); });

}  // namespace
}  // namespace vecframe::models
