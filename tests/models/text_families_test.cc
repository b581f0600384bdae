// What is known of a text tower before its weights are read, and how wrong requests are refused.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <memory>
#include <string>

#include "golden_copy.h"
#include "models/checkpoint.h"
#include "models/text_model.h"

namespace vecframe::models {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

TextModelDescription describe(const std::filesystem::path& directory) {
  return describe_text_model(std::make_shared<const Checkpoint>("a-model", directory));
}

std::string refusal(const GoldenCopy& model) {
  return message_of<RequestError>([&] { describe(model.directory()); });
}

TEST(TextFamilies, DescribeClip) {
  const TextModelDescription clip = describe(golden_texts("clip_text"));
  EXPECT_EQ(clip.family, "clip");
  EXPECT_EQ(clip.dimension, 20);
  EXPECT_EQ(clip.max_tokens, 20);
  EXPECT_EQ(clip.table_parameters, 792 * 24);
  // Two blocks of four square products, an MLP of 40, and the projection.
  EXPECT_EQ(clip.matrix_parameters, 2 * (4 * 24 * 24 + 2 * 24 * 40) + 20 * 24);
  EXPECT_EQ(clip.parameters, clip.table_parameters + clip.matrix_parameters + 20 * 24 +
                                 2 * (4 * 24 + 40 + 24 + 4 * 24) + 2 * 24);
  EXPECT_GT(clip.flops_per_text, 2.0 * 20 * 2 * (4 * 24 * 24 + 2 * 24 * 40));
  EXPECT_EQ(clip.efficient_batch, 512 / 20);
  EXPECT_EQ(clip.tokenizer_fingerprint.size(), 32u);
}

TEST(TextFamilies, TheFilesMayAllowFewerTokensThanTheNetwork) {
  EXPECT_EQ(describe(golden_texts("clip_end_not_largest")).max_tokens, 14);
  GoldenCopy model("clip_text");
  model.edit("tokenizer_config.json", [](json& c) { c["model_max_length"] = 1e30; });
  EXPECT_EQ(describe(model.directory()).max_tokens, 20);
  model.edit("tokenizer_config.json", [](json& c) { c["model_max_length"] = 1; });
  EXPECT_THAT(refusal(model), HasSubstr("no room for the 2 special ones"));
}

TEST(TextFamilies, ProjectionsComeFromTheWeights) {
  EXPECT_EQ(describe(golden_texts("clip_text_alone")).dimension, 16);
  EXPECT_EQ(describe(golden_texts("siglip2")).dimension, 30);
  GoldenCopy model("clip_text");
  model.edit("config.json", [](json& c) { c["projection_dim"] = 512; });
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("text_projection.weight"), HasSubstr("512")));
}

TEST(TextFamilies, AModelWithoutTextTowerIsNamedWithSomeThatHaveOne) {
  const auto directory = std::filesystem::path(VECFRAME_SOURCE_DIR) / "tests/golden/models/dinov2";
  const auto checkpoint = std::make_shared<const Checkpoint>("my-dino", directory);
  EXPECT_FALSE(has_text_tower(*checkpoint));
  EXPECT_THAT(message_of<RequestError>([&] { describe_text_model(checkpoint); }),
              AllOf(HasSubstr("my-dino"), HasSubstr("'dinov2'"),
                    HasSubstr("openai/clip-vit-base-patch32")));
  EXPECT_TRUE(has_text_tower(Checkpoint("clip", golden_texts("clip_text"))));
}

TEST(TextFamilies, AMissingTokenizerSaysWhatWasLookedFor) {
  GoldenCopy model("clip_text");
  model.remove("tokenizer.json");
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("tokenizer.json"), HasSubstr("vocab.json"),
                                    HasSubstr("merges.txt"), HasSubstr("spiece.model")));
}

TEST(TextFamilies, ATokenizerThatIsNotUnderstoodFailsHereAndNotInLoad) {
  GoldenCopy model("clip_text");
  model.edit("tokenizer.json", [](json& t) { t["normalizer"] = {{"type", "NFKC"}}; });
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("normalizer"), HasSubstr("NFKC")));
}

TEST(TextFamilies, IdsBeyondTheTokenTableAreRefused) {
  GoldenCopy model("clip_text");
  model.edit("tokenizer.json", [](json& t) { t["model"]["vocab"]["unseen"] = 792; });
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("ids up to 792"), HasSubstr("has 792 rows")));
}

TEST(TextFamilies, AnEndTokenThatTheTokenizerDoesNotWriteIsRefused) {
  GoldenCopy model("clip_text");
  model.edit("config.json", [](json& c) { c["text_config"]["eos_token_id"] = 5; });
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("eos_token_id"), HasSubstr("5")));
  // Absent, it is that of the real vocabulary, which is larger than this one.
  model.edit("config.json", [](json& c) { c["text_config"].erase("eos_token_id"); });
  EXPECT_THAT(refusal(model), HasSubstr("49407"));
}

TEST(TextFamilies, PaddedTextsNeedAPaddingToken) {
  GoldenCopy model("siglip2");
  model.edit("tokenizer_config.json", [](json& c) { c["pad_token"] = "<nothing>"; });
  EXPECT_THAT(refusal(model), HasSubstr("pad_token"));
}

TEST(TextFamilies, TheFingerprintFollowsTheTokenizersFiles) {
  const std::string original = describe(golden_texts("clip_text")).tokenizer_fingerprint;
  GoldenCopy model("clip_text");
  EXPECT_EQ(describe(model.directory()).tokenizer_fingerprint, original);
  model.edit("tokenizer_config.json", [](json& c) { c["model_max_length"] = 12; });
  EXPECT_NE(describe(model.directory()).tokenizer_fingerprint, original);
}

}  // namespace
}  // namespace vecframe::models
