// What the convolutional families make of configs and tensor names; the vectors themselves are in
// tests/golden.

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

ImageModelDescription describe(const std::string& config, const Shapes& shapes,
                               const std::string& processor,
                               const ImageModelOptions& options = {}) {
  TemporaryModel model;
  model.write("config.json", config)
      .write("model.safetensors", zero_tensors(shapes))
      .write("preprocessor_config.json", processor);
  return describe_image_model(std::make_shared<const Checkpoint>("m", model.directory()), options);
}

// Pictures of 32.
constexpr const char* kProcessor = R"({"size":32,"crop_pct":1})";

std::string refusal(const std::string& config, const Shapes& shapes,
                    const std::string& processor = kProcessor) {
  return message_of<RequestError>([&] { describe(config, shapes, processor); });
}

// Two basic stages of 6 and 10 channels after a stem of 6.
Shapes resnet_shapes(const std::string& prefix = "") {
  Shapes shapes;
  const auto layer = [&](const std::string& name, std::int64_t out, std::int64_t in,
                         std::int64_t kernel) {
    shapes[prefix + name + ".convolution.weight"] = {out, in, kernel, kernel};
    for (const char* part : {"weight", "bias", "running_mean", "running_var"})
      shapes[prefix + name + ".normalization." + part] = {out};
    shapes[prefix + name + ".normalization.num_batches_tracked"] = {};
  };
  layer("embedder.embedder", 6, 3, 7);
  layer("encoder.stages.0.layers.0.layer.0", 6, 6, 3);
  layer("encoder.stages.0.layers.0.layer.1", 6, 6, 3);
  layer("encoder.stages.1.layers.0.shortcut", 10, 6, 1);
  layer("encoder.stages.1.layers.0.layer.0", 10, 6, 3);
  layer("encoder.stages.1.layers.0.layer.1", 10, 10, 3);
  return shapes;
}

std::string resnet_config(const std::string& more = "") {
  return R"({"model_type":"resnet","layer_type":"basic","embedding_size":6,"hidden_sizes":[6,10],)"
         R"("depths":[1,1])" +
         more + "}";
}

TEST(Resnet, IsDescribedByConfigAndHeaders) {
  const ImageModelDescription description = describe(resnet_config(), resnet_shapes(), kProcessor);
  EXPECT_EQ(description.family, "resnet");
  EXPECT_EQ(description.dimension, 10);
  EXPECT_EQ(description.parameters,
            6 * 3 * 49 + 2 * 6 * 6 * 9 + 10 * 6 + 10 * 6 * 9 + 10 * 10 * 9 + 4 * (3 * 6 + 3 * 10));
  // Maps of 16, 8 and 4.
  EXPECT_DOUBLE_EQ(description.flops_per_image, 2.0 * (256 * 6 * 3 * 49 + 64 * 2 * 6 * 6 * 9 +
                                                       16 * (10 * 6 + 10 * 6 * 9 + 10 * 10 * 9)));
}

TEST(Resnet, TakesAClassifiersTower) {
  Shapes shapes = resnet_shapes("resnet.");
  shapes["classifier.1.weight"] = {3, 10};
  shapes["classifier.1.bias"] = {3};
  EXPECT_EQ(describe(resnet_config(), shapes, kProcessor).dimension, 10);
}

TEST(Resnet, TakesAnotherPictureSizeButNotAnotherPooling) {
  ImageModelOptions options;
  options.image_size = 64;
  const auto larger = describe(resnet_config(), resnet_shapes(), kProcessor, options);
  const auto own = describe(resnet_config(), resnet_shapes(), kProcessor);
  EXPECT_DOUBLE_EQ(larger.flops_per_image, 4 * own.flops_per_image);
  options.pooling = PoolingChoice::kClassToken;
  EXPECT_THAT(message_of<RequestError>(
                  [&] { describe(resnet_config(), resnet_shapes(), kProcessor, options); }),
              HasSubstr("pooling: 'm' (resnet) has one way to pool"));
}

TEST(Resnet, RefusesWhatDoesNotFit) {
  EXPECT_THAT(refusal(resnet_config(R"(,"layer_type":"wide")"), {}), HasSubstr("'wide'"));
  EXPECT_THAT(refusal(resnet_config(R"(,"depths":[1])"), {}),
              HasSubstr("'hidden_sizes' has 2 stages, but 'depths' has 1"));
  EXPECT_THAT(refusal(resnet_config(R"(,"depths":[])"), {}), HasSubstr("'depths' has 0 stages"));
  EXPECT_THAT(refusal(resnet_config(R"(,"depths":[1,1.5])"), {}), HasSubstr("'depths' has 1.5"));
  EXPECT_THAT(refusal(resnet_config(R"(,"hidden_sizes":[6,1e18])"), {}), HasSubstr("1e+18"));
  EXPECT_THAT(refusal(resnet_config(R"(,"num_channels":1)"), {}), HasSubstr("'num_channels'"));
  EXPECT_THAT(refusal(resnet_config(R"(,"hidden_sizes":[3,8],"layer_type":"bottleneck")"), {}),
              HasSubstr("'hidden_sizes' has 3"));
  Shapes shapes = resnet_shapes();
  shapes.erase("encoder.stages.1.layers.0.shortcut.normalization.running_var");
  shapes["encoder.stages.2.layers.0.layer.0.convolution.weight"] = {4, 4, 3, 3};
  EXPECT_THAT(refusal(resnet_config(), shapes),
              AllOf(HasSubstr("missing: encoder.stages.1.layers.0.shortcut.normalization"),
                    HasSubstr("unexpected: encoder.stages.2.layers")));
  EXPECT_THAT(
      refusal(
          resnet_config(), resnet_shapes(),
          R"({"image_processor_type":"ViTImageProcessor","size":{"height":16384,"width":16384}})"),
      AllOf(HasSubstr("16384x16384"), HasSubstr("too large")));
}

// Two stages of 4 and 6 channels, patches of 4.
Shapes convnext_shapes(bool is_second_version) {
  Shapes shapes{{"layernorm.weight", {6}}, {"layernorm.bias", {6}}};
  const auto layer = [&](const std::string& name, const std::vector<std::int64_t>& shape,
                         std::int64_t bias) {
    shapes[name + ".weight"] = shape;
    shapes[name + ".bias"] = {bias};
  };
  layer("embeddings.patch_embeddings", {4, 3, 4, 4}, 4);
  layer("embeddings.layernorm", {4}, 4);
  layer("encoder.stages.1.downsampling_layer.0", {4}, 4);
  layer("encoder.stages.1.downsampling_layer.1", {6, 4, 2, 2}, 6);
  for (const std::int64_t s : {0, 1}) {
    const std::int64_t width = s == 0 ? 4 : 6;
    const std::string block = "encoder.stages." + std::to_string(s) + ".layers.0.";
    layer(block + "dwconv", {width, 1, 7, 7}, width);
    layer(block + "layernorm", {width}, width);
    layer(block + "pwconv1", {4 * width, width}, 4 * width);
    layer(block + "pwconv2", {width, 4 * width}, width);
    if (is_second_version) {
      shapes[block + "grn.weight"] = shapes[block + "grn.bias"] = {1, 1, 1, 4 * width};
    } else {
      shapes[block + "layer_scale_parameter"] = {width};
    }
  }
  return shapes;
}

std::string convnext_config(const std::string& type, const std::string& more = "") {
  return R"({"model_type":")" + type + R"(","num_stages":2,"hidden_sizes":[4,6],"depths":[1,1])" +
         more + "}";
}

TEST(Convnext, BothVersionsHaveTheirOwnTensors) {
  const ImageModelDescription first =
      describe(convnext_config("convnext"), convnext_shapes(false), kProcessor);
  EXPECT_EQ(first.family, "convnext");
  EXPECT_EQ(first.dimension, 6);
  // Maps of 8 and 4.
  EXPECT_DOUBLE_EQ(first.flops_per_image,
                   2.0 * (64 * 4 * (48 + 49 + 2 * 16) + 16 * 6 * 16 + 16 * 6 * (49 + 2 * 24)));
  const ImageModelDescription second =
      describe(convnext_config("convnextv2"), convnext_shapes(true), kProcessor);
  EXPECT_EQ(second.family, "convnextv2");
  EXPECT_EQ(second.flops_per_image, first.flops_per_image);
  EXPECT_THAT(refusal(convnext_config("convnextv2"), convnext_shapes(false)),
              AllOf(HasSubstr("missing: encoder.stages.0.layers.0.grn.weight"),
                    HasSubstr("unexpected: encoder.stages.0.layers.0.layer_scale_parameter")));
  EXPECT_THAT(refusal(convnext_config("convnext", R"(,"layer_scale_init_value":0)"),
                      convnext_shapes(false)),
              HasSubstr("unexpected: encoder.stages.0.layers.0.layer_scale_parameter"));
}

TEST(Convnext, RefusesWhatDoesNotFit) {
  EXPECT_THAT(refusal(convnext_config("convnext", R"(,"num_stages":3)"), {}),
              HasSubstr("'num_stages'"));
  EXPECT_THAT(refusal(convnext_config("convnext"), convnext_shapes(false), R"({"size":4})"),
              AllOf(HasSubstr("pictures of 4x4"), HasSubstr("too small")));
  EXPECT_THAT(refusal(convnext_config("convnext", R"(,"hidden_act":"selu")"), {}),
              HasSubstr("'selu'"));
}

}  // namespace
}  // namespace vecframe::models
