// Model directories from strangers: whatever they hold, describing them ends in a RequestError that
// says what is wrong. tests/models/safetensors_test.cc has the files' own rules.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <filesystem>

#include "models/checkpoint.h"
#include "models/image_model.h"
#include "temporary_model.h"

namespace vecframe::models {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

ImageModelDescription describe(const TemporaryModel& model) {
  return describe_image_model(std::make_shared<const Checkpoint>("m", model.directory()));
}

std::string refusal(const TemporaryModel& model) {
  return message_of<RequestError>([&] { describe(model); });
}

// Files that are whole but for what a test writes over them.
constexpr const char* kConfig =
    R"({"model_type":"vit","hidden_size":8,"intermediate_size":16,"num_hidden_layers":1,)"
    R"("num_attention_heads":2,"image_size":8,"patch_size":4,"qkv_bias":false})";
constexpr const char* kProcessor = R"({"size":{"height":8,"width":8}})";

std::map<std::string, std::vector<std::int64_t>> shapes() {
  std::map<std::string, std::vector<std::int64_t>> shapes{
      {"embeddings.cls_token", {1, 1, 8}},
      {"embeddings.position_embeddings", {1, 5, 8}},
      {"embeddings.patch_embeddings.projection.weight", {8, 3, 4, 4}},
      {"embeddings.patch_embeddings.projection.bias", {8}},
  };
  const std::string block = "encoder.layer.0.";
  for (const char* norm :
       {"layernorm", "encoder.layer.0.layernorm_before", "encoder.layer.0.layernorm_after"})
    for (const char* part : {".weight", ".bias"}) shapes[std::string(norm) + part] = {8};
  for (const char* name : {"query", "key", "value"})
    shapes[block + "attention.attention." + name + ".weight"] = {8, 8};
  const auto linear = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    shapes[block + name + ".weight"] = {out, in};
    shapes[block + name + ".bias"] = {out};
  };
  linear("attention.output.dense", 8, 8);
  linear("intermediate.dense", 16, 8);
  linear("output.dense", 8, 16);
  return shapes;
}

void write_whole(TemporaryModel& model) {
  model.write("config.json", kConfig)
      .write("preprocessor_config.json", kProcessor)
      .write("model.safetensors", zero_tensors(shapes()));
}

TEST(HostileModel, TheWholeOneIsFine) {
  TemporaryModel model;
  write_whole(model);
  EXPECT_EQ(describe(model).dimension, 8);
}

TEST(HostileModel, WeightsAreCheckedBeforeAnythingIsRead) {
  const auto with = [](const std::string& weights) {
    TemporaryModel model;
    write_whole(model);
    model.write("model.safetensors", weights);
    return refusal(model);
  };
  EXPECT_THAT(with(""), HasSubstr("shorter than its length field"));
  EXPECT_THAT(with(std::string(8, '\x7f') + "{}"), HasSubstr("more than 100000000"));
  const std::string whole = zero_tensors(shapes());
  EXPECT_THAT(with(whole.substr(0, whole.size() - 1)), HasSubstr("data bytes"));
  EXPECT_THAT(with(whole.substr(0, 100)), HasSubstr("in a file of 100"));
  EXPECT_THAT(with(whole + "x"), HasSubstr("belong to no tensor"));
  EXPECT_THAT(with(safetensors_bytes("{}", "")), HasSubstr("missing: embeddings.cls_token"));
}

TEST(HostileModel, ShapesAndNamesMustBeTheConfigs) {
  const auto with = [](const std::string& name, const std::vector<std::int64_t>& shape) {
    TemporaryModel model;
    write_whole(model);
    auto changed = shapes();
    changed[name] = shape;
    model.write("model.safetensors", zero_tensors(changed));
    return refusal(model);
  };
  EXPECT_THAT(with("encoder.layer.0.output.dense.weight", {16, 8}),
              AllOf(HasSubstr("'encoder.layer.0.output.dense.weight' has shape [16, 8]"),
                    HasSubstr("means [8, 16]")));
  EXPECT_THAT(with("embeddings.cls_token", {8}), HasSubstr("means [1, 1, 8]"));
  EXPECT_THAT(with("layernorm.bias", {}), HasSubstr("has shape []"));
  EXPECT_THAT(with("layernorm.bias", {0}), HasSubstr("has shape [0]"));
  EXPECT_THAT(with("extra", {1}), HasSubstr("unexpected: extra"));
}

TEST(HostileModel, ManyStrangeNamesMakeAShortMessage) {
  TemporaryModel model;
  write_whole(model);
  auto many = shapes();
  for (int i = 0; i < 2000; ++i) many["strange" + std::to_string(i)] = {1};
  model.write("model.safetensors", zero_tensors(many));
  const std::string message = refusal(model);
  EXPECT_THAT(message, HasSubstr("and 1994 more"));
  EXPECT_LT(message.size(), 1000u);
}

TEST(HostileModel, ConfigsAreBounded) {
  const auto with = [](const std::string& more) {
    TemporaryModel model;
    write_whole(model);
    const std::string config(kConfig);
    model.write("config.json", config.substr(0, config.size() - 1) + "," + more + "}");
    return refusal(model);
  };
  EXPECT_THAT(with(R"("hidden_size":1e300)"), HasSubstr("'hidden_size' is 1e+300"));
  EXPECT_THAT(with(R"("hidden_size":18446744073709551615)"), HasSubstr("'hidden_size'"));
  EXPECT_THAT(with(R"("hidden_size":-8)"), HasSubstr("'hidden_size' is -8"));
  EXPECT_THAT(with(R"("hidden_size":0)"), HasSubstr("'hidden_size' is 0"));
  EXPECT_THAT(with(R"("hidden_size":"8")"), HasSubstr("'hidden_size' is not a number"));
  EXPECT_THAT(with(R"("hidden_size":[8])"), HasSubstr("'hidden_size' is not a number"));
  EXPECT_THAT(with(R"("num_hidden_layers":1000000000)"), HasSubstr("'num_hidden_layers'"));
  EXPECT_THAT(with(R"("num_attention_heads":0)"), HasSubstr("'num_attention_heads' is 0"));
  EXPECT_THAT(with(R"("patch_size":0)"), HasSubstr("'patch_size' is 0"));
  EXPECT_THAT(with(R"("image_size":1e9)"), HasSubstr("'image_size'"));
  EXPECT_THAT(with(R"("layer_norm_eps":1e999)"), HasSubstr("config.json"));
  EXPECT_THAT(with(R"("layer_norm_eps":"1e-5")"), HasSubstr("'layer_norm_eps' is not a number"));
  EXPECT_THAT(with(R"("hidden_act":3)"), HasSubstr("'hidden_act' is not a string"));
  EXPECT_THAT(with(R"("qkv_bias":"no")"), HasSubstr("'qkv_bias' is not true or false"));
  EXPECT_THAT(with(R"("deep":)" + std::string(100'000, '[')), HasSubstr("nested too deeply"));
  std::string objects = R"("deep":)";
  for (int i = 0; i < 100'000; ++i) objects += R"({"x":)";
  EXPECT_THAT(with(objects), HasSubstr("nested too deeply"));
}

TEST(HostileModel, JsonIsBoundedInBytes) {
  TemporaryModel model;
  write_whole(model);
  model.write("config.json", "{\"x\":\"" + std::string(17u << 20, 'x') + "\"}");
  EXPECT_THAT(refusal(model), HasSubstr("more than a file of this kind has"));
}

TEST(HostileModel, MessagesDoNotHoldTheFile) {
  TemporaryModel model;
  write_whole(model);
  model.write("config.json", "{\"" + std::string(1 << 20, 'k') + "\" 1}");
  EXPECT_LT(refusal(model).size(), 1000u);
  model.write("config.json", "{\"model_type\":\"" + std::string(1 << 20, 'k') + "\"}");
  EXPECT_LT(refusal(model).size(), 1000u);
  write_whole(model);
  model.write("model.safetensors", zero_tensors({{std::string(1 << 20, 'k'), {1}}}));
  EXPECT_LT(refusal(model).size(), 1000u);
}

TEST(HostileModel, ProcessorsAreBounded) {
  const auto with = [](const std::string& processor) {
    TemporaryModel model;
    write_whole(model);
    model.write("preprocessor_config.json", processor);
    return refusal(model);
  };
  EXPECT_THAT(with("[]"), HasSubstr("is not a JSON object"));
  EXPECT_THAT(with(std::string(1 << 20, '{')), HasSubstr("not valid JSON"));
  EXPECT_THAT(with(R"({"size":{"height":1e18,"width":8}})"), HasSubstr("'height' is 1e+18"));
  EXPECT_THAT(with(R"({"size":{"height":8.5,"width":8}})"), HasSubstr("'height' is 8.5"));
  EXPECT_THAT(with(R"({"size":8,"rescale_factor":1e-320})"), HasSubstr("'rescale_factor'"));
  EXPECT_THAT(with(R"({"size":8,"image_std":[1e-46,1,1]})"), HasSubstr("'image_std'"));
  EXPECT_THAT(with(R"({"size":8,"image_mean":[1e300,0,0]})"), HasSubstr("'image_mean'"));
  EXPECT_THAT(with(R"({"size":8,"resample":-1})"), HasSubstr("'resample' is -1"));
}

TEST(HostileModel, LinksStayInTheDirectory) {
  TemporaryModel other;
  write_whole(other);
  for (const char* name : {"config.json", "model.safetensors", "preprocessor_config.json"}) {
    TemporaryModel model;
    write_whole(model);
    fs::remove(model.directory() / name);
    fs::create_symlink(other.directory() / name, model.directory() / name);
    EXPECT_THAT(refusal(model), AllOf(HasSubstr(std::string(name) + " is a link to"),
                                      HasSubstr("outside of the model's directory")));
    // To a neighbour.
    fs::remove(model.directory() / name);
    fs::copy_file(other.directory() / name, model.directory() / "neighbour");
    fs::create_symlink("neighbour", model.directory() / name);
    EXPECT_EQ(describe(model).dimension, 8) << name;
    // To nothing.
    fs::remove(model.directory() / "neighbour");
    EXPECT_THAT(refusal(model), HasSubstr(std::string("no ") + name));
  }
}

TEST(HostileModel, ShardsDoNotLinkOutOfTheDirectory) {
  TemporaryModel model, other;
  write_whole(model);
  write_whole(other);
  fs::remove(model.directory() / "model.safetensors");
  model.write("model.safetensors.index.json", R"({"weight_map":{"a":"one.safetensors"}})");
  fs::create_symlink(other.directory() / "model.safetensors",
                     model.directory() / "one.safetensors");
  EXPECT_THAT(refusal(model), HasSubstr("outside of the model's directory"));
}

TEST(HostileModel, SnapshotsLinkToTheBlobsOfTheirOwnCache) {
  TemporaryModel cache;
  const fs::path repository = cache.directory() / "models--owner--name";
  const fs::path snapshot = repository / "snapshots" / "c0ffee";
  fs::create_directories(snapshot);
  fs::create_directories(repository / "blobs");
  TemporaryModel whole;
  write_whole(whole);
  for (const char* name : {"config.json", "model.safetensors", "preprocessor_config.json"}) {
    fs::copy_file(whole.directory() / name, repository / "blobs" / name);
    fs::create_symlink(fs::path("../../blobs") / name, snapshot / name);
  }
  const auto describe_snapshot = [&] {
    return describe_image_model(std::make_shared<const Checkpoint>("m", snapshot));
  };
  EXPECT_EQ(describe_snapshot().dimension, 8);
  fs::remove(snapshot / "config.json");
  fs::create_symlink(whole.directory() / "config.json", snapshot / "config.json");
  EXPECT_THAT(message_of<RequestError>(describe_snapshot),
              HasSubstr("outside of the model's directory"));
  // A blob that is itself a link.
  fs::remove(snapshot / "config.json");
  fs::create_symlink("../../blobs/config.json", snapshot / "config.json");
  fs::remove(repository / "blobs" / "config.json");
  fs::create_symlink(whole.directory() / "config.json", repository / "blobs" / "config.json");
  EXPECT_THAT(message_of<RequestError>(describe_snapshot),
              HasSubstr("outside of the model's directory"));
}

TEST(HostileModel, OnlyRegularFilesAreRead) {
  TemporaryModel model;
  write_whole(model);
  fs::remove(model.directory() / "config.json");
  fs::create_symlink("/dev/zero", model.directory() / "config.json");
  EXPECT_THAT(refusal(model), HasSubstr("no config.json"));
  fs::remove(model.directory() / "config.json");
  fs::create_directory(model.directory() / "config.json");
  EXPECT_THAT(refusal(model), HasSubstr("no config.json"));
}

}  // namespace
}  // namespace vecframe::models
