// The model families, one file each: what a config means, and what the tensors are called.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/checkpoint.h"
#include "models/image_model.h"
#include "models/vit_spec.h"
#include "models/vit_tensors.h"

namespace vecframe::models {

/// Bounds of what a config may ask for; they keep every product of sizes within 64 bits.
inline constexpr std::int64_t kMaxWidth = 1 << 16;
inline constexpr std::int64_t kMaxLayers = 1024;
/// A product of about this many rows runs at full speed on a processor core; with more, activations
/// only leave the cache (measured at 50 and 197 tokens).
inline constexpr std::int64_t kEfficientRows = 512;

using DescribeFamily = ImageModelDescription (*)(const std::shared_ptr<const Checkpoint>&,
                                                 const ImageModelOptions&);

ImageModelDescription describe_aimv2(const std::shared_ptr<const Checkpoint>& checkpoint,
                                     const ImageModelOptions& options);
ImageModelDescription describe_aimv2_vision(const std::shared_ptr<const Checkpoint>& checkpoint,
                                            const ImageModelOptions& options);
ImageModelDescription describe_beit(const std::shared_ptr<const Checkpoint>& checkpoint,
                                    const ImageModelOptions& options);
ImageModelDescription describe_clip(const std::shared_ptr<const Checkpoint>& checkpoint,
                                    const ImageModelOptions& options);
ImageModelDescription describe_clip_vision(const std::shared_ptr<const Checkpoint>& checkpoint,
                                           const ImageModelOptions& options);
ImageModelDescription describe_vit(const std::shared_ptr<const Checkpoint>& checkpoint,
                                   const ImageModelOptions& options);
ImageModelDescription describe_deit(const std::shared_ptr<const Checkpoint>& checkpoint,
                                    const ImageModelOptions& options);
ImageModelDescription describe_dinov2(const std::shared_ptr<const Checkpoint>& checkpoint,
                                      const ImageModelOptions& options);
ImageModelDescription describe_dinov2_with_registers(
    const std::shared_ptr<const Checkpoint>& checkpoint, const ImageModelOptions& options);
ImageModelDescription describe_dinov3_vit(const std::shared_ptr<const Checkpoint>& checkpoint,
                                          const ImageModelOptions& options);
ImageModelDescription describe_siglip(const std::shared_ptr<const Checkpoint>& checkpoint,
                                      const ImageModelOptions& options);
ImageModelDescription describe_siglip_vision(const std::shared_ptr<const Checkpoint>& checkpoint,
                                             const ImageModelOptions& options);
ImageModelDescription describe_resnet(const std::shared_ptr<const Checkpoint>& checkpoint,
                                      const ImageModelOptions& options);
ImageModelDescription describe_convnext(const std::shared_ptr<const Checkpoint>& checkpoint,
                                        const ImageModelOptions& options);
ImageModelDescription describe_convnextv2(const std::shared_ptr<const Checkpoint>& checkpoint,
                                          const ImageModelOptions& options);
ImageModelDescription describe_siglip2(const std::shared_ptr<const Checkpoint>& checkpoint,
                                       const ImageModelOptions& options);
ImageModelDescription describe_siglip2_vision(const std::shared_ptr<const Checkpoint>& checkpoint,
                                              const ImageModelOptions& options);
/// open_clip_config.json.
ImageModelDescription describe_open_clip(const std::shared_ptr<const Checkpoint>& checkpoint,
                                         const ImageModelOptions& options);
/// config.json with `architecture` in place of `model_type`.
ImageModelDescription describe_timm_vit(const std::shared_ptr<const Checkpoint>& checkpoint,
                                        const ImageModelOptions& options);
/// The built-in convolutional model, as tools/convert_efficientnet.py writes it.
ImageModelDescription describe_efficientnet_lite(
    const std::shared_ptr<const Checkpoint>& checkpoint, const ImageModelOptions& options);

/// Class defaults of a transformer config: what a key that is not in the file means.
struct VitDefaults {
  std::int64_t width = 768, layers = 12, heads = 12, image_size = 224, patch = 16;
  std::string_view activation = "gelu";
  double epsilon = 1e-12;
};

/// Width, layers, heads, activation, epsilon, picture and patch size by the keys that all Hugging
/// Face vision configs share. The width of the MLP is left to the family.
VitSpec read_vit_spec(const JsonObject& config, const VitDefaults& defaults);

/// Member `key` of a config, or no keys at all.
JsonObject nested_config(const JsonObject& config, std::string_view key);

/// `intermediate_size`.
std::int64_t read_mlp_width(const JsonObject& config, std::int64_t fallback);

/// By the name of `hidden_act`.
compute::Activation parse_activation(const JsonObject& config, std::string_view key,
                                     std::string_view fallback);

/// For a family with one way to pool: throws RequestError if `options` ask for another.
void refuse_pooling(const Checkpoint& checkpoint, std::string_view family,
                    const ImageModelOptions& options);
/// For a family that takes neither another picture size nor another pooling: likewise for both.
void refuse_image_options(const Checkpoint& checkpoint, std::string_view family,
                          const ImageModelOptions& options);

/// A side, or [height, width].
std::pair<std::int64_t, std::int64_t> read_sides(const JsonObject& config, std::string_view key,
                                                 std::int64_t fallback);

/// Throws RequestError, which begins with `label`, unless width is a multiple of heads (and the
/// heads suit the rotary positions), and a patch fits into the picture.
void check_sizes(const VitSpec& spec, const std::string& label);

/// The rows of a projection decide on the dimension. Throws RequestError if it is there and the
/// config's `projection_dim` is another number.
void check_projection(const Checkpoint& checkpoint, std::string_view tensor);

/// Finds the tensors, checks the picture size, and binds the loader. `ignored`: see
/// TensorCollector::finish. Throws RequestError where the model cannot do what `options` ask.
ImageModelDescription describe_vision_transformer(
    const std::shared_ptr<const Checkpoint>& checkpoint, std::string family, VitSpec spec,
    const std::vector<VitNames>& tables, const std::vector<std::string_view>& ignored,
    const image::PrepareSpec& prepare, const ImageModelOptions& options);

}  // namespace vecframe::models
