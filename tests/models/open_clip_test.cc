// What open_clip's configs and tensor names mean; the vectors themselves are in tests/golden.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include "models/checkpoint.h"
#include "models/image_model.h"
#include "temporary_model.h"

namespace vecframe::models {
namespace {

using testing::AllOf;
using testing::HasSubstr;

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

// A tower of width 8, 1 block, MLP 16, patches of 4 in pictures of 8, projected to 6.
Shapes open_clip_shapes() {
  Shapes shapes{{"visual.class_embedding", {8}},
                {"visual.positional_embedding", {5, 8}},
                {"visual.conv1.weight", {8, 3, 4, 4}},
                {"visual.proj", {8, 6}},
                {"visual.transformer.resblocks.0.attn.in_proj_weight", {24, 8}},
                {"visual.transformer.resblocks.0.attn.in_proj_bias", {24}},
                {"transformer.resblocks.0.ln_1.weight", {3}},
                {"token_embedding.weight", {3, 3}},
                {"positional_embedding", {3, 3}},
                {"text_projection", {3, 6}},
                {"logit_scale", {}}};
  const auto layer = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    shapes["visual." + name + ".weight"] = shape;
    shapes["visual." + name + ".bias"] = {shape[0]};
  };
  for (const char* norm :
       {"ln_pre", "ln_post", "transformer.resblocks.0.ln_1", "transformer.resblocks.0.ln_2"})
    layer(norm, {8});
  layer("transformer.resblocks.0.attn.out_proj", {8, 8});
  layer("transformer.resblocks.0.mlp.c_fc", {16, 8});
  layer("transformer.resblocks.0.mlp.c_proj", {8, 16});
  return shapes;
}

constexpr const char* kOpenClipVision =
    R"("image_size":8,"layers":1,"width":8,"head_width":4,"mlp_ratio":2,"patch_size":4)";

ImageModelDescription describe_open(const std::string& vision, const Shapes& shapes,
                                    const std::string& more = "") {
  TemporaryModel model;
  model
      .write("open_clip_config.json",
             R"({"model_cfg":{"embed_dim":6)" + more + R"(,"vision_cfg":{)" + vision + "}}}")
      .write("open_clip_model.safetensors", zero_tensors(shapes));
  return describe_image_model(std::make_shared<const Checkpoint>("m", model.directory()));
}

std::string open_clip_refusal(const std::string& vision, const Shapes& shapes = open_clip_shapes(),
                              const std::string& more = "") {
  return message_of<RequestError>([&] { describe_open(vision, shapes, more); });
}

TEST(OpenClip, IsProjectedByAMatrix) {
  const auto description = describe_open(kOpenClipVision, open_clip_shapes());
  EXPECT_EQ(description.family, "open-clip");
  EXPECT_EQ(description.dimension, 6);
  const double products = 4 * 48 * 8 + 4 * 5 * 64 + 2 * 25 * 8 + 2 * 5 * 8 * 16 + 48;
  EXPECT_DOUBLE_EQ(description.flops_per_image, 2 * products);
}

TEST(OpenClip, TensorsMustBeThoseOfItsConfig) {
  const std::string vision = kOpenClipVision;
  EXPECT_THAT(open_clip_refusal(vision + R"(,"no_ln_pre":true)"),
              HasSubstr("unexpected: visual.ln_pre.bias, visual.ln_pre.weight"));
  EXPECT_THAT(open_clip_refusal(vision + R"(,"ls_init_value":1e-4)"),
              HasSubstr("missing: visual.transformer.resblocks.0.ls_1.gamma"));
  EXPECT_THAT(open_clip_refusal(vision + R"(,"layers":2)"),
              HasSubstr("but open_clip_config.json means 2"));
  Shapes shapes = open_clip_shapes();
  shapes["visual.proj"] = {8, 7};
  EXPECT_THAT(open_clip_refusal(vision, shapes), HasSubstr("but 'embed_dim' is 6"));
  shapes["visual.proj"] = {7, 6};
  EXPECT_THAT(open_clip_refusal(vision, shapes), HasSubstr("'visual.proj' has shape [7, 6]"));
  shapes["visual.proj"] = {8};
  EXPECT_THAT(open_clip_refusal(vision, shapes), HasSubstr("'visual.proj' has shape [8]"));
  shapes.erase("visual.proj");
  EXPECT_THAT(open_clip_refusal(vision, shapes), HasSubstr("missing: visual.proj"));
}

TEST(OpenClip, PartsThatAreNotKnownAreRefusedByName) {
  const auto with = [](const std::string& field, const std::string& more = "") {
    return open_clip_refusal(std::string(kOpenClipVision) + "," + field, open_clip_shapes(), more);
  };
  EXPECT_THAT(with(R"("attentional_pool":true)"), HasSubstr("'attentional_pool' changes"));
  EXPECT_THAT(with(R"("qk_norm":true)"), HasSubstr("'qk_norm' changes"));
  EXPECT_THAT(with(R"("block_type":"custom")"), HasSubstr("'block_type' changes"));
  EXPECT_THAT(with(R"("new_part":1)"), HasSubstr("'new_part' changes"));
  EXPECT_THAT(with(R"("pool_type":"none")"), HasSubstr("'pool_type' is 'none'"));
  EXPECT_THAT(with(R"("layers":[3,4,6,3])"), HasSubstr("a ResNet"));
  EXPECT_THAT(with(R"("head_width":16)"), HasSubstr("'width' 8 is not a multiple of heads of 16"));
  EXPECT_THAT(with(R"("norm_kwargs":{"bias":false})"), HasSubstr("'bias' is not known"));
  EXPECT_THAT(with(R"("act_kwargs":{"approximate":"sine"})"), HasSubstr("of tanh or none"));
  EXPECT_THAT(with(R"("act_kwargs":{"approximate":"tanh"})", R"(,"quick_gelu":true)"),
              HasSubstr("without 'quick_gelu'"));
  // Off, they mean nothing.
  EXPECT_EQ(describe_open(std::string(kOpenClipVision) +
                              R"(,"attentional_pool":false,"qk_norm":false,"block_type":null)",
                          open_clip_shapes())
                .dimension,
            6);
}

TEST(OpenClip, TrunksAreThoseOfKnownNames) {
  const auto trunk = [](const std::string& name, const std::string& more) {
    return open_clip_refusal(R"("timm_model_name":")" + name + "\"," + more, {});
  };
  EXPECT_THAT(trunk("convnext_base", R"("timm_pool":"")"),
              AllOf(HasSubstr("timm's 'convnext_base'"), HasSubstr("vit_*_siglip_*")));
  EXPECT_THAT(trunk("vit_base_patch16_siglip_224", R"("timm_pool":"avg")"),
              HasSubstr("'timm_pool' of vit_base_patch16_siglip_224 is 'avg'; only 'map'"));
  EXPECT_THAT(trunk("vit_base_patch16_siglip_224", R"("timm_pool":"map","timm_proj":"mlp")"),
              HasSubstr("'timm_proj' is 'mlp'"));
  EXPECT_THAT(trunk("vit_base_patch16_siglip_224", R"("timm_pool":"map","timm_proj":"linear")"),
              HasSubstr("missing: visual.trunk.head.weight, or visual.head.proj.weight"));
  EXPECT_THAT(trunk("vit_base_patch16_siglip_224", R"("timm_pool":"map","timm_proj":"none")"),
              HasSubstr("missing: visual.trunk.pos_embed"));
  EXPECT_THAT(trunk("eva02_base_patch14_224", R"("timm_pool":"token")"),
              HasSubstr("timm's 'eva02_base_patch14_224'"));
}

}  // namespace
}  // namespace vecframe::models
