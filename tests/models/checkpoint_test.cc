#include "models/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "temporary_model.h"

namespace vecframe::models {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kTwoFloats = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";

std::string refusal(const TemporaryModel& model) {
  return message_of<RequestError>([&] { Checkpoint("m", model.directory()); });
}

TEST(Checkpoint, ReadsByName) {
  TemporaryModel model;
  model.write("config.json", "{}")
      .write("model.safetensors",
             safetensors_bytes(kTwoFloats, std::string("\0\0\x80\x3f\0\0\0\x40", 8)));
  const Checkpoint checkpoint("m", model.directory());
  EXPECT_THAT(checkpoint.names(), ElementsAre("a"));
  EXPECT_EQ(checkpoint.find("b"), nullptr);
  EXPECT_TRUE(checkpoint.has_prefix("a"));
  EXPECT_FALSE(checkpoint.has_prefix("ab"));
  // Twice: the source pages were given back, but the file can still be read.
  for (int repeat = 0; repeat < 2; ++repeat) {
    const auto values = checkpoint.read(*checkpoint.find("a"));
    EXPECT_THAT(std::vector<float>(values.begin(), values.end()), ElementsAre(1.0f, 2.0f));
  }
}

TEST(Checkpoint, ReadsSingleRows) {
  // The rows (1, 2), (3, 4), (5, 6) in each of the three types.
  struct Stored {
    const char* type;
    std::string bytes;
  };
  std::string f32, f16, bf16;
  for (const float value : {1.0f, 2.0f, 3.0f, 4.0f, 5.0f, 6.0f}) {
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const std::uint16_t upper = static_cast<std::uint16_t>(bits >> 16);
    const auto half =
        static_cast<std::uint16_t>(((bits >> 23) - 127 + 15) << 10 | (bits & 0x7FFFFF) >> 13);
    f32.append(reinterpret_cast<const char*>(&bits), 4);
    bf16.append(reinterpret_cast<const char*>(&upper), 2);
    f16.append(reinterpret_cast<const char*>(&half), 2);
  }
  for (const Stored& stored : {Stored{"F32", f32}, Stored{"F16", f16}, Stored{"BF16", bf16}}) {
    TemporaryModel model;
    model.write("config.json", "{}")
        .write("model.safetensors",
               safetensors_bytes(std::string(R"({"a":{"dtype":")") + stored.type +
                                     R"(","shape":[3,2],"data_offsets":[0,)" +
                                     std::to_string(stored.bytes.size()) + "]}}",
                                 stored.bytes));
    const Checkpoint checkpoint("m", model.directory());
    const TensorInfo& tensor = *checkpoint.find("a");
    std::vector<float> row(2), long_row(3);
    checkpoint.read_row(tensor, 1, row);
    EXPECT_THAT(row, ElementsAre(3.0f, 4.0f)) << stored.type;
    checkpoint.read_row(tensor, 2, row);
    EXPECT_THAT(row, ElementsAre(5.0f, 6.0f)) << stored.type;
    EXPECT_THROW(checkpoint.read_row(tensor, 3, row), std::out_of_range);
    EXPECT_THROW(checkpoint.read_row(tensor, -1, row), std::out_of_range);
    EXPECT_THROW(checkpoint.read_row(tensor, 0, long_row), std::out_of_range);
  }
}

TEST(Checkpoint, JoinsShards) {
  TemporaryModel model;
  model.write("config.json", "{}")
      .write("model.safetensors.index.json",
             R"({"weight_map":{"a":"x-1.safetensors","b":"x-2.safetensors"}})")
      .write("x-1.safetensors", zero_tensors({{"a", {2}}}))
      .write("x-2.safetensors", zero_tensors({{"b", {3}}}));
  EXPECT_THAT(Checkpoint("m", model.directory()).names(), ElementsAre("a", "b"));

  model.write("x-2.safetensors", zero_tensors({{"a", {3}}}));
  EXPECT_THAT(refusal(model), HasSubstr("tensor 'a' is in two shards"));
}

TEST(Checkpoint, ShardsStayInTheirDirectory) {
  for (const char* name : {"../x", "/etc/passwd", "", ".", "..", "a/b"}) {
    TemporaryModel model;
    model.write("config.json", "{}")
        .write("model.safetensors.index.json",
               std::string(R"({"weight_map":{"a":")") + name + "\"}}");
    EXPECT_THAT(refusal(model), HasSubstr("is not a plain file name")) << name;
  }
}

TEST(Checkpoint, SaysWhatIsMissing) {
  TemporaryModel model;
  EXPECT_THAT(refusal(model), HasSubstr("'m' has no config.json"));
  model.write("config.json", "{}");
  EXPECT_THAT(refusal(model), HasSubstr("no model.safetensors"));
  model.write("pytorch_model.bin", "x");
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("pickle"), HasSubstr("safe_serialization=True")));
  model.write("model.safetensors.index.json", "{}");
  EXPECT_THAT(refusal(model), HasSubstr("'weight_map' is missing"));
  model.write("model.safetensors.index.json", R"({"weight_map":{"a":3}})");
  EXPECT_THAT(refusal(model), HasSubstr("'a' is not a string"));
  model.write("config.json", "{");
  EXPECT_THAT(refusal(model), HasSubstr("config.json: not valid JSON"));
}

TEST(Checkpoint, OpensTheLayoutOfOpenClip) {
  TemporaryModel model;
  model.write("open_clip_config.json", R"({"model_cfg":{}})")
      .write("open_clip_model.safetensors", zero_tensors({{"visual.proj", {2, 3}}}));
  EXPECT_EQ(Checkpoint("m", model.directory()).config_name(), "open_clip_config.json");
  const std::string first = Checkpoint("m", model.directory()).fingerprint();
  // A config of transformers whose weights are not here.
  model.write("config.json", "{}").write("pytorch_model.bin", "x");
  const Checkpoint open_clip("m", model.directory());
  EXPECT_THAT(open_clip.names(), ElementsAre("visual.proj"));
  EXPECT_EQ(open_clip.fingerprint(), first);
  // With them, they are chosen.
  model.write("model.safetensors", zero_tensors({{"a", {2}}}));
  EXPECT_EQ(Checkpoint("m", model.directory()).config_name(), "config.json");
  EXPECT_THAT(Checkpoint("m", model.directory()).names(), ElementsAre("a"));
}

TEST(Checkpoint, NamesThePickleOfOpenClip) {
  TemporaryModel model;
  model.write("open_clip_config.json", "{}");
  EXPECT_THAT(refusal(model), HasSubstr("'m' has open_clip_config.json, but no "
                                        "open_clip_model.safetensors"));
  model.write("open_clip_pytorch_model.bin", "x");
  EXPECT_THAT(refusal(model), AllOf(HasSubstr("only open_clip_pytorch_model.bin, a pickle"),
                                    HasSubstr("open_clip_model.safetensors")));
}

TEST(Checkpoint, FingerprintIsOfContent) {
  const auto fingerprint = [](const std::string& config, const std::string& data) {
    TemporaryModel model;
    model.write("config.json", config)
        .write("model.safetensors", safetensors_bytes(kTwoFloats, data));
    return Checkpoint("m", model.directory()).fingerprint();
  };
  const std::string first = fingerprint("{}", "12345678");
  EXPECT_EQ(first.size(), 32u);
  EXPECT_EQ(fingerprint("{}", "12345678"), first);
  EXPECT_NE(fingerprint("{}", "12345679"), first);
  EXPECT_NE(fingerprint("{} ", "12345678"), first);
}

// Above 64 MiB only the ends of each tensor are read.
TEST(Checkpoint, FingerprintOfALargeFileSeesEveryTensor) {
  const auto fingerprint = [](std::size_t changed) {
    std::string bytes = zero_tensors({{"a", {(48 << 20) / 4}}, {"b", {(24 << 20) / 4}}});
    bytes[bytes.size() - 1 - changed] = 'x';
    TemporaryModel model;
    model.write("config.json", "{}").write("model.safetensors", bytes);
    return Checkpoint("m", model.directory()).fingerprint();
  };
  const std::string last = fingerprint(0);
  EXPECT_NE(fingerprint((24 << 20) - 1), last);  // first byte of b
  EXPECT_NE(fingerprint(24 << 20), last);        // last byte of a
}

}  // namespace
}  // namespace vecframe::models
