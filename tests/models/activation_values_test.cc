// The memory that a model says it takes is what it takes.

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "backends/reference/reference_backend.h"
#include "counting_stream.h"
#include "models/checkpoint.h"
#include "models/image_model.h"
#include "source_directory.h"

namespace vecframe::models {
namespace {

class ActivationValues : public testing::TestWithParam<const char*> {};

TEST_P(ActivationValues, IsATightUpperBound) {
  const auto directory =
      std::filesystem::path(VECFRAME_SOURCE_DIR) / "tests/golden/models" / GetParam();
  const auto checkpoint = std::make_shared<const Checkpoint>(GetParam(), directory);
  const auto description = describe_image_model(checkpoint);
  const auto backend = backends::reference::make_reference_backend();
  const auto model = description.load(*backend, tensor::Precision::kFp32);
  const auto table = image::normalization_table(description.prepare);
  // Of pictures that differ in size, the largest: a row of as many patches as there may be.
  image::Size slot = description.prepare.slot_size();
  if (description.prepare.has_variable_size())
    slot = {description.prepare.patch * description.prepare.max_patches, description.prepare.patch};
  for (std::int64_t batch : {1, 2, 5}) {
    const std::vector<std::uint8_t> pixels(
        description.prepare.slot_bytes() * static_cast<std::size_t>(batch), 100);
    std::vector<float> out(static_cast<std::size_t>(batch * description.dimension));
    CountingStream stream(backend->make_stream());
    compute::PixelBatch input{pixels.data(), batch, slot.height, slot.width, &table};
    if (description.prepare.has_float_slots())
      input.values = reinterpret_cast<const float*>(pixels.data());
    model->embed(stream, input, out);
    EXPECT_LE(stream.peak(), model->activation_values(batch));
    EXPECT_GE(stream.peak(), model->activation_values(batch) * 9 / 10 - 200);
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ActivationValues,
                         testing::Values("clip", "clip_vision", "vit_pooler_pillow", "deit",
                                         "dinov2_resized", "dinov2_registers_gated", "dinov2_gated",
                                         "dinov3_gated", "siglip", "siglip2_naflex", "aimv2_lit",
                                         "aimv2_native", "resnet_bottleneck", "resnet_basic",
                                         "convnext", "convnextv2", "timm_vit", "timm_siglip",
                                         "open_clip", "open_clip_mean", "open_clip_siglip_linear",
                                         "eva02", "eva02_post_norm", "beit_resized"),
                         [](const auto& parameter) { return std::string(parameter.param); });

}  // namespace
}  // namespace vecframe::models
