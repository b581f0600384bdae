// What a family makes of configs and tensor names; the vectors themselves are in tests/golden. One
// test or two a family: long because families are many.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vecframe/error.h>

#include <algorithm>
#include <cstring>

#include "models/checkpoint.h"
#include "models/image_model.h"
#include "source_directory.h"
#include "temporary_model.h"

namespace vecframe::models {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using Shapes = std::map<std::string, std::vector<std::int64_t>>;

// A vision tower of width 8, 2 blocks, MLP 16, patches of 4 in pictures of 8, projected to 6.
Shapes clip_shapes(const std::string& prefix = "vision_model.") {
  Shapes shapes{{prefix + "embeddings.class_embedding", {8}},
                {prefix + "embeddings.position_embedding.weight", {5, 8}},
                {prefix + "embeddings.patch_embedding.weight", {8, 3, 4, 4}},
                {"visual_projection.weight", {6, 8}}};
  const auto layer = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    shapes[prefix + name + ".weight"] = in == 0 ? std::vector{out} : std::vector{out, in};
    shapes[prefix + name + ".bias"] = {out};
  };
  layer("pre_layrnorm", 8, 0);
  layer("post_layernorm", 8, 0);
  for (const char* block : {"encoder.layers.0.", "encoder.layers.1."}) {
    for (const char* norm : {"layer_norm1", "layer_norm2"}) layer(std::string(block) + norm, 8, 0);
    for (const char* part : {"q", "k", "v", "out"})
      layer(std::string(block) + "self_attn." + part + "_proj", 8, 8);
    layer(std::string(block) + "mlp.fc1", 16, 8);
    layer(std::string(block) + "mlp.fc2", 8, 16);
  }
  return shapes;
}

constexpr const char* kVision =
    R"("hidden_size":8,"intermediate_size":16,"num_hidden_layers":2,"num_attention_heads":2,)"
    R"("image_size":8,"patch_size":4)";

std::string clip_config(const std::string& vision = kVision, const std::string& more = "") {
  return R"({"model_type":"clip","vision_config":{)" + vision + "}" + more + "}";
}

ImageModelDescription describe(
    const std::string& config, const Shapes& shapes,
    const std::string& processor = R"({"size":{"shortest_edge":8},"crop_size":8})") {
  TemporaryModel model;
  model.write("config.json", config)
      .write("model.safetensors", zero_tensors(shapes))
      .write("preprocessor_config.json", processor);
  return describe_image_model(std::make_shared<const Checkpoint>("m", model.directory()));
}

std::string refusal(const std::string& config, const Shapes& shapes) {
  return message_of<RequestError>([&] { describe(config, shapes); });
}

TEST(Families, ClipFactsComeFromTensors) {
  Shapes shapes = clip_shapes();
  std::int64_t parameters = 0;
  for (const auto& [name, shape] : shapes) {
    std::int64_t count = 1;
    for (std::int64_t n : shape) count *= n;
    parameters += count;
  }
  shapes["text_model.embeddings.token_embedding.weight"] = {3, 3};
  shapes["logit_scale"] = {};
  shapes["vision_model.embeddings.position_ids"] = {1, 5};
  const auto description = describe(clip_config(kVision, R"(,"projection_dim":6)"), shapes);
  EXPECT_EQ(description.family, "clip");
  EXPECT_EQ(description.dimension, 6);
  EXPECT_EQ(description.parameters, parameters);  // of the image tower alone
  // 4 patches x 48 x 8; two blocks of 5 tokens; 6 x 8.
  const double products = 4 * 48 * 8 + 2 * (4 * 5 * 64 + 2 * 25 * 8 + 2 * 5 * 8 * 16) + 48;
  EXPECT_DOUBLE_EQ(description.flops_per_image, 2 * products);
}

// Share of a file's pages that are in memory.
double resident_share(const std::filesystem::path& path) {
  const std::size_t size = std::filesystem::file_size(path);
  const int file = ::open(path.c_str(), O_RDONLY);
  void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, file, 0);
  EXPECT_NE(mapped, MAP_FAILED);
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> pages((size + page - 1) / page);
  EXPECT_EQ(::mincore(mapped, size, pages.data()), 0);
  ::munmap(mapped, size);
  ::close(file);
  const auto resident =
      std::count_if(pages.begin(), pages.end(), [](unsigned char p) { return (p & 1) != 0; });
  return static_cast<double>(resident) / static_cast<double>(pages.size());
}

TEST(Families, ADescriptionReadsNoWeights) {
  Shapes shapes = clip_shapes();
  constexpr std::int64_t kWide = 1 << 17;  // 4 MiB a matrix
  for (const std::string block : {"encoder.layers.0.", "encoder.layers.1."}) {
    shapes["vision_model." + block + "mlp.fc1.weight"] = {kWide, 8};
    shapes["vision_model." + block + "mlp.fc1.bias"] = {kWide};
    shapes["vision_model." + block + "mlp.fc2.weight"] = {8, kWide};
  }
  const std::string bytes = zero_tensors(shapes);
  std::uint64_t header = 0;
  std::memcpy(&header, bytes.data(), sizeof header);
  TemporaryModel model;
  const auto path = model.directory() / "model.safetensors";
  model
      .write("config.json",
             clip_config(R"("hidden_size":8,"intermediate_size":131072,"num_hidden_layers":2,)"
                         R"("num_attention_heads":2,"image_size":8,"patch_size":4)"))
      .write("preprocessor_config.json", R"({"size":{"shortest_edge":8},"crop_size":8})")
      .write("model.safetensors", bytes.substr(0, sizeof header + header));
  std::filesystem::resize_file(path, bytes.size());  // a hole, of which nothing is in memory
  ASSERT_LT(resident_share(path), 0.01);
  const auto checkpoint = std::make_shared<const Checkpoint>("m", model.directory());
  EXPECT_EQ(describe_image_model(checkpoint).dimension, 6);
  EXPECT_LT(resident_share(path), 0.3);  // what the kernel reads beyond the header
  for (const std::string name : {"0.mlp.fc1", "0.mlp.fc2", "1.mlp.fc1"}) {
    const TensorInfo* matrix = checkpoint->find("vision_model.encoder.layers." + name + ".weight");
    EXPECT_EQ(checkpoint->read(*matrix).size(), std::size_t{8 * kWide});
  }
  EXPECT_GT(resident_share(path), 0.6);  // and this would show
}

TEST(Families, OtherNamesOfClipHaveItsImageTower) {
  for (const char* type : {"metaclip_2", "chinese_clip"}) {
    std::string config = clip_config();
    config.replace(config.find("\"clip\""), 6, "\"" + std::string(type) + "\"");
    EXPECT_EQ(describe(config, clip_shapes()).family, "clip") << type;
    Shapes alone = clip_shapes();
    alone.erase("visual_projection.weight");
    EXPECT_THAT(refusal(config, alone), HasSubstr("'" + std::string(type) + "' checkpoint"));
  }
}

TEST(Families, VisionOnlyClipHasTheWidthOfItsTokens) {
  Shapes shapes = clip_shapes("");
  shapes.erase("visual_projection.weight");
  const std::string config = std::string(R"({"model_type":"clip_vision_model",)") + kVision + "}";
  EXPECT_EQ(describe(config, shapes).dimension, 8);
  shapes["visual_projection.weight"] = {6, 8};
  EXPECT_EQ(describe(config, shapes).dimension, 6);
}

TEST(Families, MissingAndUnexpectedTensorsAreListed) {
  Shapes shapes = clip_shapes();
  shapes.erase("vision_model.encoder.layers.1.mlp.fc1.bias");
  shapes.erase("vision_model.post_layernorm.weight");
  shapes["vision_model.encoder.layers.0.extra"] = {8};
  EXPECT_THAT(
      refusal(clip_config(), shapes),
      AllOf(HasSubstr("missing: vision_model.encoder.layers.1.mlp.fc1.bias, "
                      "vision_model.post_layernorm.weight;"),
            HasSubstr("unexpected: vision_model.encoder.layers.0.extra"), Not(HasSubstr("\n"))));
  Shapes none{{"something.weight", {1}}, {"visual_projection.weight", {6, 8}}};
  EXPECT_THAT(refusal(clip_config(), none), AllOf(HasSubstr("more"), HasSubstr("something")));
}

TEST(Families, AClipCheckpointHasItsProjection) {
  Shapes shapes = clip_shapes();
  shapes.erase("visual_projection.weight");
  EXPECT_THAT(refusal(clip_config(), shapes), HasSubstr("visual_projection.weight"));
  EXPECT_THAT(refusal(clip_config(kVision, R"(,"projection_dim":7)"), clip_shapes()),
              HasSubstr("6 rows, but projection_dim is 7"));
}

TEST(Families, ConfigAndTensorsMustAgree) {
  Shapes shapes = clip_shapes();
  shapes["vision_model.encoder.layers.0.mlp.fc1.weight"] = {16, 9};
  EXPECT_THAT(refusal(clip_config(), shapes),
              AllOf(HasSubstr("fc1.weight' has shape [16, 9]"), HasSubstr("means [16, 8]")));
  const std::string three =
      R"("hidden_size":8,"intermediate_size":16,"num_hidden_layers":3,"num_attention_heads":2,)"
      R"("image_size":8,"patch_size":4)";
  EXPECT_THAT(refusal(clip_config(three), clip_shapes()),
              HasSubstr("have 2 blocks 'vision_model.encoder.layers.', but config.json means 3"));
}

TEST(Families, VisionConfigDictOverridesEveryField) {
  const std::string wrong = R"("hidden_size":99)";
  const std::string with_dict = R"(,"vision_config_dict":{)" + std::string(kVision) + "}";
  EXPECT_EQ(describe(clip_config(wrong, with_dict), clip_shapes()).dimension, 6);
  // A field that the dict leaves out takes the default, not vision_config's value.
  const std::string partial = R"(,"vision_config_dict":{"hidden_size":24})";
  EXPECT_THAT(refusal(clip_config(kVision, partial), clip_shapes()),
              HasSubstr("the model takes 224x224"));
}

TEST(Families, BadSizesAreRefused) {
  const auto with = [](const std::string& field) {
    return refusal(clip_config(std::string(kVision) + "," + field), clip_shapes());
  };
  EXPECT_THAT(with(R"("hidden_size":0)"), HasSubstr("'hidden_size' is 0"));
  EXPECT_THAT(with(R"("num_attention_heads":3)"), HasSubstr("not a multiple of 3 heads"));
  EXPECT_THAT(with(R"("num_hidden_layers":1e18)"), HasSubstr("'num_hidden_layers'"));
  EXPECT_THAT(with(R"("hidden_act":"mish")"), HasSubstr("'hidden_act' is 'mish'; known are"));
  EXPECT_THAT(with(R"("patch_size":9)"), HasSubstr("patches of 9x9"));
  EXPECT_THAT(with(R"("patch_size":[4,2])"), HasSubstr("patches of 4x2"));
  EXPECT_THAT(with(R"("num_channels":1)"), HasSubstr("'num_channels'"));
}

TEST(Families, AProcessorOfAnotherSizeIsRefused) {
  EXPECT_THAT(message_of<RequestError>([] {
                describe(clip_config(), clip_shapes(),
                         R"({"size":{"shortest_edge":12},"crop_size":12})");
              }),
              HasSubstr("makes pictures of 12x12, but the model takes 8x8"));
}

TEST(Families, UnknownFamiliesNameTheKnownOnes) {
  EXPECT_THAT(refusal(R"({"model_type":"swin"})", {}),
              AllOf(HasSubstr("'swin'"), HasSubstr("clip, clip_vision_model, convnext")));
  EXPECT_THAT(refusal(R"({"architecture":"vit_base_patch16_rope_224"})", {}),
              HasSubstr("'vit_base_patch16_rope_224'"));
}

// width 8, 1 block, MLP 16, patches of 4 in pictures of 8.
constexpr const char* kSmall =
    R"("hidden_size":8,"intermediate_size":16,"num_hidden_layers":1,"num_attention_heads":2,)"
    R"("image_size":8,"patch_size":4)";

Shapes siglip_shapes(const std::string& prefix) {
  Shapes shapes{{"embeddings.position_embedding.weight", {4, 8}},
                {"head.probe", {1, 1, 8}},
                {"head.attention.in_proj_weight", {24, 8}},
                {"head.attention.in_proj_bias", {24}}};
  const auto layer = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    shapes[name + ".weight"] = shape;
    shapes[name + ".bias"] = {shape[0]};
  };
  layer("embeddings.patch_embedding", {8, 3, 4, 4});
  for (const char* norm : {"encoder.layers.0.layer_norm1", "encoder.layers.0.layer_norm2",
                           "post_layernorm", "head.layernorm"})
    layer(norm, {8});
  for (const char* part : {"q", "k", "v", "out"})
    layer(std::string("encoder.layers.0.self_attn.") + part + "_proj", {8, 8});
  layer("head.attention.out_proj", {8, 8});
  for (const char* mlp : {"encoder.layers.0.mlp.", "head.mlp."}) {
    layer(std::string(mlp) + "fc1", {16, 8});
    layer(std::string(mlp) + "fc2", {8, 16});
  }
  Shapes prefixed;
  for (const auto& [name, shape] : shapes) prefixed[prefix + name] = shape;
  return prefixed;
}

std::string with_type(const std::string& type, const std::string& fields) {
  return R"({"model_type":")" + type + R"(",)" + fields + "}";
}

constexpr const char* kExact8 = R"({"size":{"height":8,"width":8}})";

TEST(Families, SiglipIsAsWideAsItsTokens) {
  Shapes shapes = siglip_shapes("vision_model.");
  shapes["text_model.head.weight"] = {3, 3};
  shapes["logit_scale"] = shapes["logit_bias"] = {1};
  const std::string config =
      R"({"model_type":"siglip","vision_config":{)" + std::string(kSmall) + "}}";
  const auto description = describe(config, shapes, kExact8);
  EXPECT_EQ(description.family, "siglip");
  EXPECT_EQ(description.dimension, 8);
  // 4 patches x 48 x 8; a block of 4 tokens; the head's keys and values, query, output and MLP.
  const double block = 4 * 4 * 64 + 2 * 16 * 8 + 2 * 4 * 8 * 16;
  const double head = 2 * 4 * 64 + 2 * 4 * 8 + 2 * 64 + 2 * 8 * 16;
  EXPECT_DOUBLE_EQ(description.flops_per_image, 2 * (4 * 48 * 8 + block + head));
  EXPECT_EQ(
      describe(with_type("siglip_vision_model", kSmall), siglip_shapes(""), kExact8).dimension, 8);
}

// The same with the patch embedding as a matrix, and 3 x 3 positions.
Shapes siglip2_shapes(const std::string& prefix) {
  Shapes shapes = siglip_shapes(prefix);
  shapes[prefix + "embeddings.patch_embedding.weight"] = {8, 48};
  shapes[prefix + "embeddings.position_embedding.weight"] = {9, 8};
  return shapes;
}

constexpr const char* kNaflex5 =
    R"({"image_processor_type":"Siglip2ImageProcessor","patch_size":4,"max_num_patches":5})";

TEST(Families, Siglip2TakesPicturesOfAnyShape) {
  Shapes shapes = siglip2_shapes("vision_model.");
  shapes["text_model.embeddings.token_embedding.weight"] = {3, 3};
  shapes["logit_scale"] = shapes["logit_bias"] = {1};
  const std::string vision = std::string(kSmall) + R"(,"num_patches":9)";
  const auto description =
      describe(R"({"model_type":"siglip2","vision_config":{)" + vision + "}}", shapes, kNaflex5);
  EXPECT_EQ(description.family, "siglip2");
  EXPECT_EQ(description.dimension, 8);
  EXPECT_EQ(description.efficient_batch, 1);
  EXPECT_TRUE(description.prepare.has_variable_size());
  // Of 5 patches: 5 x 48 x 8; a block; the head's keys and values, query, output and MLP.
  const double block = 4 * 5 * 64 + 2 * 25 * 8 + 2 * 5 * 8 * 16;
  const double head = 2 * 5 * 64 + 2 * 5 * 8 + 64 + 64 + 2 * 8 * 16;
  EXPECT_DOUBLE_EQ(description.flops_per_image, 2 * (5 * 48 * 8 + block + head));
  EXPECT_EQ(
      describe(with_type("siglip2_vision_model", vision), siglip2_shapes(""), kNaflex5).dimension,
      8);
}

TEST(Families, Siglip2MayPoolByTheMeanButHasNoSizeToSet) {
  const auto read = [](const ImageModelOptions& options) {
    const std::string directory =
        std::string(VECFRAME_SOURCE_DIR) + "/tests/golden/models/siglip2_naflex";
    return describe_image_model(std::make_shared<const Checkpoint>("naflex", directory), options);
  };
  const double with_head = read({}).flops_per_image;
  EXPECT_LT(read({.pooling = PoolingChoice::kMean}).flops_per_image, with_head);
  EXPECT_THAT(
      message_of<RequestError>([&] { read({.pooling = PoolingChoice::kClassToken}); }),
      AllOf(HasSubstr("pooling: 'cls' needs a class token"), HasSubstr("give default or mean")));
  EXPECT_THAT(message_of<RequestError>([&] { read({.image_size = 224}); }),
              HasSubstr("image_size: 'naflex' (siglip2) keeps the aspect ratio"));
}

TEST(Families, Siglip2AndItsProcessorMustBelongTogether) {
  const auto refused = [](const std::string& type, const std::string& fields, const Shapes& shapes,
                          const std::string& processor) {
    return message_of<RequestError>(
        [&] { describe(with_type(type, std::string(kSmall) + fields), shapes, processor); });
  };
  const std::string square = R"(,"num_patches":9)";
  EXPECT_THAT(refused("siglip2_vision_model", square, siglip2_shapes(""),
                      R"({"image_processor_type":"SiglipImageProcessor","size":8})"),
              HasSubstr("it must be a Siglip2ImageProcessor"));
  EXPECT_THAT(refused("siglip2_vision_model", square, siglip2_shapes(""),
                      R"({"image_processor_type":"Siglip2ImageProcessor","patch_size":8})"),
              HasSubstr("makes patches of 8, but the model takes 4"));
  EXPECT_THAT(refused("siglip2_vision_model", R"(,"num_patches":8)", siglip2_shapes(""), kNaflex5),
              HasSubstr("'num_patches' is 8, not a square number"));
  EXPECT_THAT(
      refused("siglip2_vision_model", "", siglip2_shapes(""), kNaflex5),
      AllOf(HasSubstr("position_embedding.weight' has shape [9, 8]"), HasSubstr("means [256, 8]")));
  EXPECT_THAT(refused("siglip2_vision_model", square, siglip_shapes(""), kNaflex5),
              HasSubstr("embeddings.patch_embedding.weight' has shape [8, 3, 4, 4]"));
  EXPECT_THAT(refused("siglip_vision_model", "", siglip_shapes(""), kNaflex5),
              HasSubstr("makes pictures of different sizes, but the model takes 8x8"));
}

TEST(Families, SiglipTensorsMustBeThoseOfItsConfig) {
  Shapes shapes = siglip_shapes("");
  shapes.erase("head.attention.in_proj_bias");
  shapes["head.attention.in_proj.bias"] = {24};
  const std::string config = with_type("siglip_vision_model", kSmall);
  EXPECT_THAT(message_of<RequestError>([&] { describe(config, shapes, kExact8); }),
              AllOf(HasSubstr("missing: head.attention.in_proj_bias;"),
                    HasSubstr("unexpected: head.attention.in_proj.bias")));
  const std::string no_head = std::string(kSmall) + R"(,"vision_use_head":false)";
  EXPECT_THAT(message_of<RequestError>([&] {
                describe(with_type("siglip_vision_model", no_head), siglip_shapes(""), kExact8);
              }),
              HasSubstr("unexpected: head.attention.in_proj_bias, "));
  Shapes headless = siglip_shapes("");
  std::erase_if(headless, [](const auto& entry) { return entry.first.starts_with("head."); });
  EXPECT_EQ(describe(with_type("siglip_vision_model", no_head), headless, kExact8).dimension, 8);
  EXPECT_THAT(message_of<RequestError>([&] {
                describe(config, siglip_shapes(""), R"({"size":{"height":12,"width":12}})");
              }),
              HasSubstr("makes pictures of 12x12, but the model takes 8x8"));
}

Shapes aimv2_shapes() {
  Shapes shapes{{"embeddings.patch_embed.weight", {8, 3, 4, 4}},
                {"embeddings.patch_embed.bias", {8}},
                {"embeddings.rms_norm.weight", {8}},
                {"embeddings.position_embedding.weight", {4, 8}},
                {"rms_norm.weight", {8}},
                {"head.cls_token", {1, 1, 8}},
                {"head.k_proj.weight", {8, 8}},
                {"head.v_proj.weight", {8, 8}},
                {"head.output_proj.weight", {8, 8}},
                {"head.output_proj.bias", {8}}};
  const std::string block = "encoder.layers.0.";
  for (const char* norm : {"rms_norm1", "rms_norm2"}) shapes[block + norm + ".weight"] = {8};
  for (const char* part : {"q", "k", "v", "out"})
    shapes[block + "attention." + part + "_proj.weight"] = {8, 8};
  shapes[block + "ffn.gate_proj.weight"] = shapes[block + "ffn.up_proj.weight"] = {16, 8};
  shapes[block + "ffn.down_proj.weight"] = {8, 16};
  return shapes;
}

TEST(Families, Aimv2HasNoBiasUnlessItsConfigSaysSo) {
  EXPECT_EQ(describe(with_type("aimv2_vision_model", kSmall), aimv2_shapes()).dimension, 8);
  const std::string biased = std::string(kSmall) + R"(,"mlp_bias":true)";
  EXPECT_THAT(refusal(with_type("aimv2_vision_model", biased), aimv2_shapes()),
              HasSubstr("missing: encoder.layers.0.ffn.gate_proj.bias, "
                        "encoder.layers.0.ffn.up_proj.bias, encoder.layers.0.ffn.down_proj.bias"));
  Shapes with_bias = aimv2_shapes();
  with_bias["encoder.layers.0.attention.out_proj.bias"] = {8};
  EXPECT_THAT(refusal(with_type("aimv2_vision_model", kSmall), with_bias),
              HasSubstr("unexpected: encoder.layers.0.attention.out_proj.bias"));
}

TEST(Families, Aimv2TakesTheMeanOnlyIfItsConfigSaysSo) {
  Shapes headless = aimv2_shapes();
  std::erase_if(headless, [](const auto& entry) { return entry.first.starts_with("head."); });
  EXPECT_THAT(refusal(with_type("aimv2_vision_model", kSmall), headless),
              HasSubstr("missing: head.cls_token"));
  const std::string no_head = std::string(kSmall) + R"(,"use_head":false)";
  EXPECT_EQ(describe(with_type("aimv2_vision_model", no_head), headless).dimension, 8);
  EXPECT_THAT(refusal(with_type("aimv2_vision_model", no_head), aimv2_shapes()),
              HasSubstr("unexpected: head.cls_token"));
}

TEST(Families, NativeAimv2HasNoPositionsAndTakesAnySize) {
  Shapes shapes = aimv2_shapes();
  const std::string config =
      with_type("aimv2_vision_model", std::string(kSmall) + R"(,"is_native":true)");
  EXPECT_THAT(refusal(config, shapes), HasSubstr("unexpected: embeddings.position_embedding"));
  shapes.erase("embeddings.position_embedding.weight");
  EXPECT_EQ(
      describe(config, shapes, R"({"crop_size":{"height":16,"width":8}})").prepare.slot_size(),
      (image::Size{8, 16}));
  EXPECT_THAT(message_of<RequestError>([&] {
                describe(config, shapes, R"({"crop_size":{"height":2048,"width":4096}})");
              }),
              HasSubstr("2048x4096 is 524288 patches of 4; the most there may be are 65536"));
}

TEST(Families, AnAimv2CheckpointOfImagesAndTextsHasItsProjection) {
  Shapes shapes;
  for (const auto& [name, shape] : aimv2_shapes()) shapes["vision_model." + name] = shape;
  const std::string config =
      R"({"model_type":"aimv2","vision_config":{)" + std::string(kSmall) + "}}";
  EXPECT_THAT(refusal(config, shapes), HasSubstr("missing: visual_projection.weight"));
  shapes["visual_projection.weight"] = {6, 8};
  shapes["text_model.rms_norm.weight"] = shapes["text_projection.weight"] = {6, 8};
  shapes["logit_scale"] = {};
  EXPECT_EQ(describe(config, shapes).dimension, 6);
}

TEST(Families, RegistersAreThoseOfTheConfig) {
  const std::string directory = std::string(VECFRAME_SOURCE_DIR) + "/tests/golden/models/";
  const auto read = [&](const char* name) {
    return describe_image_model(std::make_shared<const Checkpoint>(name, directory + name));
  };
  EXPECT_EQ(read("dinov2_registers").family, "dinov2-with-registers");
  EXPECT_EQ(read("dinov2_gated").family, "dinov2");
  const Shapes shapes{{"embeddings.register_tokens", {1, 4, 8}}};
  EXPECT_THAT(refusal(with_type("dinov2_with_registers",
                                std::string(kSmall) + R"(,"num_register_tokens":3)"),
                      shapes),
              HasSubstr("register_tokens' has shape [1, 4, 8]"));
  EXPECT_THAT(refusal(with_type("dinov2_with_registers",
                                std::string(kSmall) + R"(,"num_register_tokens":0)"),
                      shapes),
              HasSubstr("register_tokens' has shape [1, 4, 8]"));
}

TEST(Families, DinoV3KeysHaveNoBias) {
  Shapes shapes{
      {"embeddings.cls_token", {1, 1, 8}},       {"embeddings.mask_token", {1, 1, 8}},
      {"embeddings.register_tokens", {1, 2, 8}}, {"layer.0.layer_scale1.lambda1", {8}},
      {"layer.0.layer_scale2.lambda1", {8}},     {"layer.0.attention.k_proj.weight", {8, 8}}};
  const auto layer = [&](const std::string& name, const std::vector<std::int64_t>& shape) {
    shapes[name + ".weight"] = shape;
    shapes[name + ".bias"] = {shape[0]};
  };
  layer("embeddings.patch_embeddings", {8, 3, 4, 4});
  for (const char* norm : {"layer.0.norm1", "layer.0.norm2", "norm"}) layer(norm, {8});
  for (const char* part : {"q", "v", "o"})
    layer(std::string("layer.0.attention.") + part + "_proj", {8, 8});
  layer("layer.0.mlp.up_proj", {16, 8});
  layer("layer.0.mlp.down_proj", {8, 16});
  const std::string fields = std::string(kSmall) + R"(,"num_register_tokens":2)";
  const std::string config = with_type("dinov3_vit", fields);
  // Any picture size that the preprocessor makes.
  const char* processor = R"({"size":{"height":12,"width":16}})";
  const auto description = describe(config, shapes, processor);
  EXPECT_EQ(description.family, "dinov3");
  EXPECT_EQ(description.dimension, 8);
  EXPECT_TRUE(description.prepare.has_float_slots());
  const auto complaint = [&](const std::string& text) {
    return message_of<RequestError>([&] { describe(text, shapes, processor); });
  };
  shapes["layer.0.attention.k_proj.bias"] = {8};
  EXPECT_THAT(complaint(config), HasSubstr("unexpected: layer.0.attention.k_proj.bias"));
  EXPECT_THAT(complaint(with_type("dinov3_vit", fields + R"(,"use_gated_mlp":true)")),
              HasSubstr("missing: layer.0.mlp.gate_proj.weight"));
  EXPECT_THAT(complaint(with_type("dinov3_vit", fields + R"(,"num_attention_heads":4)")),
              HasSubstr("heads of 2 is no rotary position"));
}

TEST(Families, TimmArgumentsThatChangeTheNetworkAreRefused) {
  const std::string config =
      R"({"architecture":"vit_tiny_patch16_224","model_args":{"init_values":1e-5}})";
  EXPECT_THAT(refusal(config, {}), HasSubstr("'init_values' changes the plain architecture"));
  EXPECT_THAT(refusal(R"({"architecture":"vit_tiny_patch16_224","global_pool":"avg"})", {}),
              HasSubstr("'global_pool' is 'avg'"));
}

}  // namespace
}  // namespace vecframe::models
