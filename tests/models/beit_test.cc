// What BEiT's configs and tensor names mean; the vectors themselves are in tests/golden.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include "models/checkpoint.h"
#include "models/image_model.h"
#include "temporary_model.h"

namespace vecframe::models {
namespace {

using testing::HasSubstr;

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

// Width 8, 1 block of 2 heads, MLP 16, patches of 4 in pictures of 8: 9 distances and 3 more.
Shapes beit_shapes() {
  Shapes shapes{{"embeddings.cls_token", {1, 1, 8}},
                {"encoder.layer.0.attention.attention.key.weight", {8, 8}},
                {"encoder.layer.0.attention.attention.relative_position_bias."
                 "relative_position_bias_table",
                 {12, 2}},
                {"encoder.layer.0.attention.attention.relative_position_bias."
                 "relative_position_index",
                 {5, 5}},
                {"encoder.layer.0.lambda_1", {8}},
                {"encoder.layer.0.lambda_2", {8}}};
  const auto layer = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    shapes[name + ".weight"] = shape;
    shapes[name + ".bias"] = {shape[0]};
  };
  layer("embeddings.patch_embeddings.projection", {8, 3, 4, 4});
  layer("encoder.layer.0.attention.attention.query", {8, 8});
  layer("encoder.layer.0.attention.attention.value", {8, 8});
  layer("encoder.layer.0.attention.output.dense", {8, 8});
  layer("encoder.layer.0.intermediate.dense", {16, 8});
  layer("encoder.layer.0.output.dense", {8, 16});
  layer("encoder.layer.0.layernorm_before", {8});
  layer("encoder.layer.0.layernorm_after", {8});
  layer("pooler.layernorm", {8});
  return shapes;
}

ImageModelDescription describe(const std::string& more, const Shapes& shapes = beit_shapes(),
                               const ImageModelOptions& options = {}) {
  TemporaryModel model;
  model
      .write("config.json",
             R"({"model_type":"beit","hidden_size":8,"intermediate_size":16,"patch_size":4,)"
             R"("num_hidden_layers":1,"num_attention_heads":2,"image_size":8)" +
                 more + "}")
      .write("preprocessor_config.json", R"({"feature_extractor_type":"BeitFeatureExtractor",)"
                                         R"("size":8,"crop_size":8,"do_center_crop":false})")
      .write("model.safetensors", zero_tensors(shapes));
  return describe_image_model(std::make_shared<const Checkpoint>("m", model.directory()), options);
}

std::string refusal(const std::string& more, const Shapes& shapes = beit_shapes(),
                    const ImageModelOptions& options = {}) {
  return message_of<RequestError>([&] { describe(more, shapes, options); });
}

constexpr const char* kRelative = R"(,"use_relative_position_bias":true)";

TEST(Beit, TheTableIsThatOfItsGrid) {
  const auto description = describe(kRelative);
  EXPECT_EQ(description.family, "beit");
  EXPECT_EQ(description.dimension, 8);
  EXPECT_EQ(description.prepare.slot_size(), (image::Size{8, 8}));
  EXPECT_THAT(refusal(""), HasSubstr("unexpected: encoder.layer.0.attention.attention.relative_"
                                     "position_bias.relative_position_bias_table"));
  EXPECT_THAT(refusal(std::string(kRelative) + R"(,"image_size":12)"),
              HasSubstr("relative_position_bias_table' has shape [12, 2]"));
  EXPECT_THAT(refusal(std::string(kRelative) + R"(,"use_shared_relative_position_bias":true)"),
              HasSubstr("missing: encoder.relative_position_bias.relative_position_bias_table"));
  EXPECT_THAT(refusal(std::string(kRelative) + R"(,"image_size":[8,12])"),
              HasSubstr("relative positions of pictures of 8x12"));
}

TEST(Beit, KeysHaveNoBias) {
  Shapes shapes = beit_shapes();
  shapes["encoder.layer.0.attention.attention.key.bias"] = {8};
  EXPECT_THAT(refusal(kRelative, shapes),
              HasSubstr("unexpected: encoder.layer.0.attention.attention.key.bias"));
}

TEST(Beit, TheMeanHasItsOwnNorm) {
  EXPECT_THAT(refusal(std::string(kRelative) + R"(,"use_mean_pooling":false)"),
              HasSubstr("missing: layernorm.weight, layernorm.bias; unexpected: pooler.layernorm"));
  ImageModelOptions options;
  options.pooling = PoolingChoice::kClassToken;
  EXPECT_THAT(refusal(kRelative, beit_shapes(), options),
              HasSubstr("pooling: 'cls' needs a norm of the tokens"));
}

TEST(Beit, TakesAnyPictureSize) {
  ImageModelOptions options;
  options.image_size = 20;
  EXPECT_EQ(describe(kRelative, beit_shapes(), options).prepare.slot_size(), (image::Size{20, 20}));
}

}  // namespace
}  // namespace vecframe::models
