// Pictures to vectors through whole models, against what the reference libraries make of the same
// pictures and checkpoints (tools/make_golden_*.py).

#include <fmt/core.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <tuple>
#include <vector>

#include "generated_picture.h"
#include "golden_file.h"
#include "image/prepare.h"
#include "npz.h"
#include "providers/local/local_provider.h"
#include "shared_data.h"
#include "source_directory.h"
#include "tensor/dtype.h"
#include "test_backends.h"
#include "test_figures.h"

namespace vecframe::golden {
namespace {

namespace fs = std::filesystem;
using embed::ImageEmbedderDescriptor;
using Descriptor = std::shared_ptr<const ImageEmbedderDescriptor>;
using Vectors = std::vector<std::vector<float>>;

constexpr float kTolerance = 1e-4f;  // of float32, absolute, for values of order 1

fs::path golden_directory() { return fs::path(VECFRAME_SOURCE_DIR) / "tests/golden/models"; }

std::string fnv1a(const std::vector<float>& values) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto* bytes = reinterpret_cast<const unsigned char*>(values.data());
  for (std::size_t i = 0; i < values.size() * sizeof(float); ++i)
    hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return fmt::format("{:016x}", hash);
}

std::vector<std::uint8_t> prepare_all(const ImageEmbedderDescriptor& descriptor,
                                      const std::vector<PictureRecipe>& pictures) {
  const image::PrepareSpec& spec = descriptor.prepare_spec();
  std::vector<std::uint8_t> slots(pictures.size() * spec.slot_bytes());
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const auto status = image::prepare(spec, generate_picture(pictures[i]),
                                       {slots.data() + i * spec.slot_bytes(), spec.slot_bytes()});
    EXPECT_TRUE(status.ok()) << status.error().to_string();
  }
  return slots;
}

Vectors embed_all(const ImageEmbedderDescriptor& descriptor,
                  const std::vector<std::uint8_t>& slots) {
  const auto dimension = static_cast<std::size_t>(descriptor.facts().dimension);
  const std::size_t count = slots.size() / descriptor.prepare_spec().slot_bytes();
  std::vector<float> flat(count * dimension, std::nanf(""));
  descriptor.instantiate()->make_lane()->embed(slots.data(), static_cast<std::int64_t>(count),
                                               flat.data());
  Vectors rows;
  for (std::size_t i = 0; i < count; ++i)
    rows.emplace_back(flat.begin() + static_cast<std::ptrdiff_t>(i * dimension),
                      flat.begin() + static_cast<std::ptrdiff_t>((i + 1) * dimension));
  return rows;
}

float largest_difference(const Vectors& a, const Vectors& b) {
  float largest = 0;
  EXPECT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].size(), b[i].size());
    for (std::size_t j = 0; j < std::min(a[i].size(), b[i].size()); ++j) {
      const float difference = std::abs(a[i][j] - b[i][j]);
      if (!(difference <= largest)) largest = difference;  // so that NaN stays
    }
  }
  return largest;
}

double smallest_cosine(const Vectors& a, const Vectors& b) {
  double smallest = 1;
  for (std::size_t i = 0; i < a.size(); ++i) {
    double ab = 0, aa = 0, bb = 0;
    for (std::size_t j = 0; j < a[i].size(); ++j) {
      ab += double{a[i][j]} * b[i][j];
      aa += double{a[i][j]} * a[i][j];
      bb += double{b[i][j]} * b[i][j];
    }
    smallest = std::min(smallest, ab / std::sqrt(aa * bb));
  }
  return smallest;
}

void expect_pixels(const ImageEmbedderDescriptor& descriptor, const GoldenFile& golden,
                   const std::vector<std::uint8_t>& slots) {
  const image::PrepareSpec& spec = descriptor.prepare_spec();
  for (std::size_t i = 0; i < golden.pictures.size(); ++i) {
    const std::span slot(slots.data() + i * spec.slot_bytes(), spec.slot_bytes());
    const image::Size size = image::slot_picture(spec, slot).size;
    std::vector<float> values(std::size_t{size.width} * size.height * 3);
    image::pixel_values(spec, slot, values);
    if (golden.pixel_samples.empty()) {
      EXPECT_EQ(fnv1a(values), golden.pixel_hashes.at(i)) << "picture " << i;
      continue;
    }
    const std::vector<float>& samples = golden.pixel_samples.at(i);
    ASSERT_EQ(samples.size(), (values.size() + 36) / 37);
    for (std::size_t k = 0; k < samples.size(); ++k)
      EXPECT_NEAR(values[37 * k], samples[k], 2e-5f) << "picture " << i << ", value " << 37 * k;
  }
}

// fp32 within the tolerance, bf16 pointing the same way, and fp16 more so where the device has it;
// the figures are in the test's report. `describe` takes a precision.
template <class Describe>
void expect_golden(const std::string& name, const std::string& device, const GoldenFile& golden,
                   double least_cosine, Describe describe) {
  const Descriptor fp32 = describe("fp32"), bf16 = describe("bf16");
  EXPECT_EQ(fp32->facts().family, golden.family);
  ASSERT_EQ(static_cast<std::size_t>(fp32->facts().dimension), golden.embeddings[0].size());
  const std::vector<std::uint8_t> slots = prepare_all(*fp32, golden.pictures);
  expect_pixels(*fp32, golden, slots);
  const float difference = largest_difference(embed_all(*fp32, slots), golden.embeddings);
  EXPECT_LE(difference, kTolerance);
  const double cosine = smallest_cosine(embed_all(*bf16, slots), golden.embeddings);
  EXPECT_GE(cosine, least_cosine);
  record_figures(name, device, difference, 1 - cosine);
  if (!device.starts_with("cuda")) return;
  const double half = smallest_cosine(embed_all(*describe("fp16"), slots), golden.embeddings);
  EXPECT_GE(half, kLeastCosineOfFp16);
  testing::Test::RecordProperty("one_minus_cosine_of_fp16", fmt::format("{:.2g}", 1 - half));
}

class TinyCheckpoint : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(TinyCheckpoint, EmbedsAsTheReference) {
  const auto& [name, device] = GetParam();
  const fs::path directory = golden_directory() / name;
  const GoldenFile golden = read_golden(directory / "golden.json");
  const compute::Registry backends = test_backends();
  expect_golden(name, device, golden, 0.99, [&](const char* precision) {
    return providers::describe_directory(name, directory, {precision, device}, backends);
  });
}

TEST_P(TinyCheckpoint, RowsDoNotDependOnTheirBatch) {
  const auto& [name, device] = GetParam();
  const fs::path directory = golden_directory() / name;
  const GoldenFile golden = read_golden(directory / "golden.json");
  const compute::Registry backends = test_backends();
  const auto descriptor =
      providers::describe_directory(name, directory, {"fp32", device}, backends);
  const std::vector<std::uint8_t> slots = prepare_all(*descriptor, golden.pictures);
  const std::size_t slot = descriptor->prepare_spec().slot_bytes();
  const Vectors together = embed_all(*descriptor, slots);
  for (std::size_t i = 0; i < golden.pictures.size(); ++i) {
    const auto begin = slots.begin() + static_cast<std::ptrdiff_t>(i * slot);
    const std::vector<std::uint8_t> one(begin, begin + static_cast<std::ptrdiff_t>(slot));
    EXPECT_LE(largest_difference(embed_all(*descriptor, one), {together[i]}), 1e-5f) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, TinyCheckpoint,
    testing::Combine(
        testing::Values("clip", "clip_legacy_sharded", "clip_vision", "clip_vision_projection",
                        "vit_classifier", "vit_pooler_pillow", "deit", "dinov2", "dinov2_resized",
                        "dinov2_registers", "dinov2_registers_gated", "dinov2_gated", "dinov3",
                        "dinov3_gated", "siglip", "siglip2_vision", "siglip2_naflex",
                        "siglip2_naflex_vision", "siglip2_naflex_headless", "aimv2_lit",
                        "aimv2_lit_apple", "aimv2_head", "aimv2_native", "aimv2_apple",
                        "metaclip_2", "metaclip_2_vision", "chinese_clip", "clip_head_80",
                        "clip_head_88", "clip_head_104", "siglip_head_72", "siglip_head_96",
                        "aimv2_head_128", "dinov3_head_64", "resnet_bottleneck",
                        "resnet_bottleneck_strided", "resnet_basic", "convnext", "convnext_warped",
                        "convnextv2", "timm_vit", "timm_siglip", "timm_siglip_gap", "open_clip",
                        "open_clip_quick", "open_clip_mean", "open_clip_longest",
                        "open_clip_siglip", "open_clip_siglip_linear", "open_clip_vit", "eva02",
                        "eva02_originals", "eva01", "open_clip_clip_trunk", "timm_clip",
                        "eva02_post_norm", "beit", "beit_resized", "beit_positions"),
        testing::ValuesIn(backend_names())),
    [](const auto& parameters) {
      return test_name(std::get<0>(parameters.param) + "_" + std::get<1>(parameters.param));
    });

class OtherOptions : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(OtherOptions, EmbedsAsTheReference) {
  const auto& [name, device] = GetParam();
  const fs::path directory = golden_directory() / name;
  const GoldenFile golden = read_golden(directory / "golden.json");
  const compute::Registry backends = test_backends();
  float largest = 0;
  for (const GoldenOptions& wanted : read_golden_options(directory / "options.json")) {
    SCOPED_TRACE(
        fmt::format("pooling {}, image size {}", wanted.pooling, wanted.image_size.value_or(0)));
    const providers::LocalModelOptions options{"fp32", device, wanted.pooling, wanted.image_size};
    const Descriptor descriptor = providers::describe_directory(name, directory, options, backends);
    ASSERT_EQ(static_cast<std::size_t>(descriptor->facts().dimension), wanted.embeddings[0].size());
    const float difference = largest_difference(
        embed_all(*descriptor, prepare_all(*descriptor, golden.pictures)), wanted.embeddings);
    EXPECT_LE(difference, kTolerance);
    largest = std::max(largest, difference);
  }
  record_figures(name, device, largest);
}

INSTANTIATE_TEST_SUITE_P(Models, OtherOptions,
                         testing::Combine(testing::Values("clip", "siglip", "vit_pooler_pillow",
                                                          "deit", "dinov2", "dinov2_registers",
                                                          "dinov3", "convnext", "resnet_basic",
                                                          "open_clip", "eva02"),
                                          testing::ValuesIn(backend_names())),
                         [](const auto& parameters) {
                           return test_name(std::get<0>(parameters.param) + "_" +
                                            std::get<1>(parameters.param));
                         });

class RealModel : public testing::TestWithParam<std::string> {
 protected:
  // The plain loops take seconds a picture: they get the first ones.
  static std::size_t num_pictures(std::size_t all) {
    if (GetParam() == "cuda-host") return std::min<std::size_t>(1, all);
    return GetParam() == "reference" ? std::min<std::size_t>(2, all) : all;
  }
  static GoldenFile read(const char* name) {
    GoldenFile golden = read_golden(golden_directory() / name);
    golden.pictures.resize(num_pictures(golden.pictures.size()));
    golden.embeddings.resize(golden.pictures.size());
    return golden;
  }
};

TEST_P(RealModel, VitTinyEmbedsAsTimm) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << "the weights of ViT-Tiny are not here: set VECFRAME_SHARED";
  const fs::path directory = *data / "data/vit_tiny_patch16_224";
  const GoldenFile golden = read("vit_tiny_patch16_224.json");
  const compute::Registry backends = test_backends();
  expect_golden("vit_tiny_patch16_224", GetParam(), golden, 0.99, [&](const char* precision) {
    return providers::describe_directory("vit-tiny", directory, {precision, GetParam()}, backends);
  });
}

// The stored pixel values are those of bytes, (b / 255 - 0.5) / 0.5, rounded to float16.
std::vector<std::uint8_t> recover_bytes(const std::vector<std::byte>& planes, std::size_t count,
                                        std::size_t side) {
  std::vector<std::uint8_t> slots(count * side * side * 3);
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const std::size_t channel = i % 3, pixel = i / 3 % (side * side), n = i / (3 * side * side);
    std::uint16_t half;
    std::memcpy(&half, planes.data() + 2 * ((n * 3 + channel) * side * side + pixel), sizeof half);
    const float value = tensor::f16_to_float(half);
    slots[i] = static_cast<std::uint8_t>(std::lround(value * 127.5f + 127.5f));
    const float exact = (static_cast<float>(slots[i]) / 255.0f - 0.5f) / 0.5f;
    EXPECT_NEAR(value, exact, 0x1p-11) << "not the value of a byte";
  }
  return slots;
}

TEST_P(RealModel, VitTinyAgreesWithItsStoredVectors) {
  const auto data = shared_data();
  if (!data) GTEST_SKIP() << "the weights of ViT-Tiny are not here: set VECFRAME_SHARED";
  const fs::path directory = *data / "data/vit_tiny_patch16_224";
  const std::size_t count = num_pictures(4);
  const auto slots = recover_bytes(
      read_npz_array(directory / "golden_skimage.npz", "pixel_values", "<f2"), count, 224);
  const auto stored = read_npz_array(directory / "golden_skimage.npz", "embedding", "<f4");
  Vectors expected(count, std::vector<float>(192));
  for (std::size_t i = 0; i < count; ++i)
    std::memcpy(expected[i].data(), stored.data() + i * 192 * sizeof(float), 192 * sizeof(float));

  const compute::Registry backends = test_backends();
  const auto descriptor =
      providers::describe_directory("vit-tiny", directory, {"fp32", GetParam()}, backends);
  const float difference = largest_difference(embed_all(*descriptor, slots), expected);
  EXPECT_LE(difference, kTolerance);
  record_figures("vit_tiny_patch16_224", GetParam(), difference);
}

TEST_P(RealModel, EfficientNetLite0EmbedsAsTorch) {
  const char* set = std::getenv("VECFRAME_CACHE");
  const char* home = std::getenv("HOME");
  const fs::path cache = set != nullptr && *set != '\0'
                             ? fs::path(set)
                             : fs::path(home == nullptr ? "/" : home) / ".cache/vecframe";
  const std::string model = "builtin:efficientnet-lite0";
  if (!fs::exists(cache / "builtin/efficientnet-lite0/model.safetensors"))
    GTEST_SKIP() << "the built-in weights are not in " << cache
                 << ": run tools/convert_efficientnet.py";
  const GoldenFile golden = read("efficientnet_lite0.json");
  const compute::Registry backends = test_backends();
  expect_golden("efficientnet_lite0", GetParam(), golden, 0.98, [&](const char* precision) {
    return providers::describe_builtin(model, cache, {precision, GetParam()}, backends);
  });
}

INSTANTIATE_TEST_SUITE_P(Backends, RealModel, testing::ValuesIn(backend_names()),
                         [](const auto& parameter) { return test_name(parameter.param); });

}  // namespace
}  // namespace vecframe::golden
