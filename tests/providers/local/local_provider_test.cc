#include "providers/local/local_provider.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <thread>
#include <vector>

#include "backends/cuda/cuda_backend.h"
#include "backends/reference/reference_backend.h"
#include "source_directory.h"

namespace vecframe::providers {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::filesystem::path golden_model(const char* name) {
  return std::filesystem::path(VECFRAME_SOURCE_DIR) / "tests/golden/models" / name;
}

compute::Registry reference_only() {
  compute::Registry registry;
  registry.add({"reference", 1, [] { return backends::reference::make_reference_backend(); }});
  return registry;
}

template <class F>
std::string refusal(F action) {
  try {
    action();
  } catch (const RequestError& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return {};
}

TEST(LocalProvider, DescribesADirectory) {
  const auto registry = reference_only();
  const auto descriptor =
      describe_directory("./clip", golden_model("clip"), {}, registry, "transformers", "main");
  const embed::EmbedderFacts& facts = descriptor->facts();
  EXPECT_EQ(facts.provider, "transformers");
  EXPECT_EQ(facts.model, "./clip");
  EXPECT_EQ(facts.family, "clip");
  EXPECT_EQ(facts.revision, "main");
  EXPECT_EQ(facts.dimension, 24);
  EXPECT_EQ(facts.precision, tensor::Precision::kFp32);
  EXPECT_THAT(facts.device, HasSubstr("reference"));
  EXPECT_EQ(facts.model_fingerprint.size(), 32u);
  EXPECT_EQ(facts.processor_fingerprint.size(), 32u);
  EXPECT_EQ(facts.weight_bytes, facts.parameters * 4);
  EXPECT_EQ(descriptor->prepare_spec().slot_bytes(), 32u * 32 * 3);
}

TEST(LocalProvider, Bf16HalvesTheMatrices) {
  const auto registry = reference_only();
  const auto fp32 = describe_directory("m", golden_model("clip"), {"fp32", "auto"}, registry);
  const auto bf16 = describe_directory("m", golden_model("clip"), {"bf16", "auto"}, registry);
  EXPECT_EQ(bf16->facts().precision, tensor::Precision::kBf16);
  EXPECT_LT(bf16->facts().weight_bytes, fp32->facts().weight_bytes * 6 / 10);
  EXPECT_EQ(bf16->facts().model_fingerprint, fp32->facts().model_fingerprint);
}

TEST(LocalProvider, AutoIsResolvedWhenDescribed) {
  const auto precision_of = [](const char* model, const compute::Registry& registry) {
    return describe_directory("m", golden_model(model), {"auto", "auto"}, registry)
        ->facts()
        .precision;
  };
  // Of these families one was measured on photographs.
  compute::Registry gains;
  gains.add({"gpu", 1, [] { return backends::cuda::make_cuda_backend(0); }});
  ASSERT_TRUE(gains.open("auto")->supports(tensor::Precision::kBf16));
  EXPECT_EQ(precision_of("timm_vit", gains), tensor::Precision::kBf16);
  EXPECT_EQ(precision_of("clip", gains), tensor::Precision::kFp32);
  const auto registry = reference_only();
  if (!registry.open("auto")->supports(tensor::Precision::kBf16)) {
    EXPECT_EQ(precision_of("timm_vit", registry), tensor::Precision::kFp32);
  }
}

TEST(LocalProvider, APrecisionThatTheDeviceHasIsTaken) {
  compute::Registry registry;
  registry.add({"gpu", 1, [] { return backends::cuda::make_cuda_backend(0); }});
  const auto half = describe_directory("m", golden_model("clip"), {"fp16", "gpu"}, registry);
  EXPECT_EQ(half->facts().precision, tensor::Precision::kFp16);
  const auto bf16 = describe_directory("m", golden_model("clip"), {"bf16", "gpu"}, registry);
  EXPECT_EQ(half->facts().weight_bytes, bf16->facts().weight_bytes);
  EXPECT_THAT(refusal([&] {
                describe_directory("m", golden_model("clip"), {"int8", "gpu"}, registry);
              }),
              AllOf(HasSubstr("device 'cuda' has no int8"),
                    HasSubstr("use one of: fp32, bf16, fp16, auto")));
}

TEST(LocalProvider, WrongOptionsAreNamed) {
  const auto registry = reference_only();
  EXPECT_THAT(refusal([&] {
                describe_directory("m", golden_model("clip"), {"fp8", "auto"}, registry);
              }),
              AllOf(HasSubstr("precision: 'fp8'"), HasSubstr("use one of: fp32, bf16, auto")));
  EXPECT_THAT(refusal([&] {
                describe_directory("m", golden_model("clip"), {"fp16", "auto"}, registry);
              }),
              AllOf(HasSubstr("device 'reference' has no fp16"),
                    HasSubstr("use one of: fp32, bf16, auto")));
  EXPECT_THAT(refusal([&] {
                describe_directory("m", golden_model("clip"), {"fp32", "cuda"}, registry);
              }),
              HasSubstr("device: 'cuda'"));
  EXPECT_THAT(refusal([&] { describe_builtin("builtin:resnet", "/nowhere", {}, registry); }),
              HasSubstr("there is builtin:efficientnet-lite0"));
  EXPECT_THAT(
      refusal([&] { describe_builtin("builtin:efficientnet-lite0", "/nowhere", {}, registry); }),
      AllOf(HasSubstr("/nowhere"), HasSubstr("make build")));
}

TEST(LocalProvider, LanesShareWeightsAndAgree) {
  const auto registry = reference_only();
  const auto descriptor = describe_directory("m", golden_model("vit_classifier"), {}, registry);
  const auto embedder = descriptor->instantiate();
  constexpr std::size_t kPictures = 3;
  std::vector<std::uint8_t> slots(kPictures * descriptor->prepare_spec().slot_bytes());
  for (std::size_t i = 0; i < slots.size(); ++i) slots[i] = static_cast<std::uint8_t>(i * 37 >> 2);
  const std::size_t values = kPictures * static_cast<std::size_t>(descriptor->facts().dimension);
  std::vector<std::vector<float>> results(4, std::vector<float>(values));
  std::vector<std::thread> threads;
  for (std::vector<float>& result : results)
    threads.emplace_back([&] {
      const auto lane = embedder->make_lane();
      for (int repeat = 0; repeat < 3; ++repeat)
        lane->embed(slots.data(), kPictures, result.data());
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<float>& result : results) EXPECT_EQ(result, results[0]);
}

// On several threads at once, which share the resized positions.
TEST(LocalProvider, PicturesOfDifferentShapesDoNotInfluenceEachOther) {
  const auto registry = reference_only();
  const auto descriptor = describe_directory("m", golden_model("siglip2_naflex"), {}, registry);
  const image::PrepareSpec& spec = descriptor->prepare_spec();
  const auto dimension = static_cast<std::size_t>(descriptor->facts().dimension);
  const std::vector<image::Size> sizes{{90, 10}, {10, 90}, {30, 30}, {1, 400}, {400, 1}, {50, 40}};
  std::vector<std::uint8_t> slots(sizes.size() * spec.slot_bytes(), 0xA5);
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    image::Image picture(image::Mode::kRGB, sizes[i]);
    for (std::size_t k = 0; k < picture.pixels().size(); ++k)
      picture.pixels()[k] = static_cast<std::uint8_t>(k * (37 + i) >> 2);
    ASSERT_TRUE(
        image::prepare(spec, picture, {slots.data() + i * spec.slot_bytes(), spec.slot_bytes()})
            .ok());
  }
  std::vector<float> alone(sizes.size() * dimension);
  for (std::size_t i = 0; i < sizes.size(); ++i)
    descriptor->instantiate()->make_lane()->embed(slots.data() + i * spec.slot_bytes(), 1,
                                                  alone.data() + i * dimension);
  const auto embedder = descriptor->instantiate();
  std::vector<std::vector<float>> results(4, std::vector<float>(alone.size()));
  std::vector<std::thread> threads;
  for (std::vector<float>& result : results)
    threads.emplace_back([&] {
      const auto lane = embedder->make_lane();
      for (int repeat = 0; repeat < 3; ++repeat)
        lane->embed(slots.data(), static_cast<std::int64_t>(sizes.size()), result.data());
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<float>& result : results) EXPECT_EQ(result, alone);
}

TEST(LocalProvider, ALaneOutlivesItsEmbedderAndDescriptor) {
  const auto registry = reference_only();
  std::unique_ptr<embed::EmbedLane> lane;
  std::size_t slot = 0, dimension = 0;
  {
    const auto descriptor = describe_directory("m", golden_model("deit"), {}, registry);
    slot = descriptor->prepare_spec().slot_bytes();
    dimension = static_cast<std::size_t>(descriptor->facts().dimension);
    lane = descriptor->instantiate()->make_lane();
  }
  const std::vector<std::uint8_t> pixels(slot, 128);
  std::vector<float> out(dimension, 7.f);
  lane->embed(pixels.data(), 1, out.data());
  for (float value : out) EXPECT_LE(std::abs(value), 1.f);  // a tanh
}

TEST(LocalProvider, LaneBytesGrowWithTheBatchUntilItIsEfficient) {
  const auto registry = reference_only();
  const auto descriptor = describe_directory("m", golden_model("clip"), {}, registry);
  const auto embedder = descriptor->instantiate();
  const auto in_and_out =
      static_cast<std::int64_t>(descriptor->prepare_spec().slot_bytes()) + 24 * 4;
  const std::int64_t one = embedder->lane_bytes(1);
  EXPECT_GT(one, in_and_out);
  EXPECT_GT(embedder->lane_bytes(8), one);
  EXPECT_EQ(embedder->lane_bytes(10'000) - embedder->lane_bytes(9'000), 1'000 * in_and_out);
}

}  // namespace
}  // namespace vecframe::providers
