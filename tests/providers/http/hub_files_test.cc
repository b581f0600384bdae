#include "providers/http/hub_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "providers/http/hub_error.h"

namespace vecframe::providers {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;

TEST(HubFilesTest, ReadsIds) {
  const auto id = parse_hub_id("openai/clip-vit-base-patch32");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->name, "openai/clip-vit-base-patch32");
  EXPECT_EQ(id->revision, "main");
  EXPECT_EQ(parse_hub_id("gpt2@v1.0")->revision, "v1.0");
  EXPECT_EQ(parse_hub_id("a/b@refs/pr/3")->revision, "refs/pr/3");
}

TEST(HubFilesTest, RefusesWhatCouldLeaveItsFolder) {
  for (const char* text : {"",         "/a",      "a/",      "a/b/c",
                           "../b",     "a/..",    "a/.b",    "./a",
                           "a b/c",    "a--b/c",  "a/b@",    "a/b@../x",
                           "a/b@x//y", "a/b@/x",  "a/b@x/",  "a/b@refs/../../x",
                           "a/b@.",    "a/b@x y", "a/b@x\n", "a\n/b",
                           "a%2e/b",   "a/b@x@y", "-a/b"})
    EXPECT_FALSE(parse_hub_id(text)) << text;
  EXPECT_FALSE(parse_hub_id("a/" + std::string(200, 'b')));
}

TEST(HubFilesTest, TakesOneSetOfWeightsAndNoCode) {
  const HubFileChoice choice =
      choose_files({".gitattributes", "README.md", "config.json", "model.safetensors",
                    "model.fp16.safetensors", "pytorch_model.bin", "modeling_x.py", "tf_model.h5",
                    "tokenizer.json", "onnx/model.onnx", "../../etc/passwd", "vocab.json"});
  EXPECT_THAT(choice.weights, ElementsAre("model.safetensors"));
  EXPECT_THAT(choice.small,
              ElementsAre("tokenizer.json", "vocab.json", "README.md", "config.json"));
  EXPECT_FALSE(choice.only_pickles);
}

TEST(HubFilesTest, FallsBackToTheIndexThenToAnySafetensors) {
  EXPECT_THAT(choose_files({"config.json", "model.safetensors.index.json",
                            "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"})
                  .weights,
              ElementsAre("model.safetensors.index.json"));
  EXPECT_THAT(choose_files({"open_clip_config.json", "open_clip_model.safetensors",
                            "sub/other.safetensors", ".hidden.safetensors"})
                  .weights,
              ElementsAre("open_clip_model.safetensors"));
}

TEST(HubFilesTest, KnowsWhenThereAreOnlyPickles) {
  EXPECT_TRUE(choose_files({"config.json", "pytorch_model.bin"}).only_pickles);
  EXPECT_FALSE(choose_files({"config.json"}).only_pickles);
}

TEST(HubFilesTest, ReadsShardsOfAnIndex) {
  EXPECT_THAT(
      shards_of_index(
          R"({"weight_map": {"a": "m-2.safetensors", "b": "m-1.safetensors", "c": "m-2.safetensors"}})"),
      ElementsAre("m-1.safetensors", "m-2.safetensors"));
}

TEST(HubFilesTest, RefusesHostileIndexes) {
  for (const char* json :
       {"", "[]", "{", "{}", R"({"weight_map": {}})", R"({"weight_map": []})",
        R"({"weight_map": {"a": 1}})", R"({"weight_map": {"a": "../x"}})",
        R"({"weight_map": {"a": "/etc/passwd"}})", R"({"weight_map": {"a": "sub/x.safetensors"}})",
        R"({"weight_map": {"a": ".x"}})", R"({"weight_map": {"a": ""}})"})
    EXPECT_THROW(shards_of_index(json), HubError) << json;
  EXPECT_THROW(shards_of_index(std::string(200'000, '[')), HubError);
}

TEST(HubFilesTest, TheConfigurationIsLast) {
  EXPECT_EQ(small_file_names().back(), kConfigName);
  for (const std::string_view name : small_file_names()) EXPECT_TRUE(is_plain_name(name));
}

}  // namespace
}  // namespace vecframe::providers
