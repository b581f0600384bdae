// AIMv2's image tower: alone, or beside a text tower (lit), under transformers' names or Apple's
// own.
//
// Source: transformers, models/aimv2/modeling_aimv2.py and configuration_aimv2.py; Apple's names:
// apple/ml-aim, aim-v2.

#include <fmt/core.h>
#include <vecframe/error.h>

#include "models/families/block_names.h"
#include "models/families/families.h"
#include "models/processor.h"

namespace vecframe::models {
namespace {

VitNames transformers_names() {
  VitNames names;
  names.prefixes = {"", "vision_model."};
  names.positions = "embeddings.position_embedding.weight";
  names.patch = "embeddings.patch_embed";
  names.patch_norm = "embeddings.rms_norm";
  static_cast<BlockNames&>(names) = aimv2_block_names();
  names.final_norm = "rms_norm";
  names.pool.query = "head.cls_token";
  names.pool.key = "head.k_proj";
  names.pool.value = "head.v_proj";
  names.pool.output = "head.output_proj";
  names.projection = "visual_projection";
  names.leading_one = false;
  return names;
}

VitNames apple_names() {
  VitNames names;
  names.prefixes = {"", "image_encoder."};
  names.positions = "preprocessor.pos_embed";
  names.patch = "preprocessor.patchifier.proj";
  names.patch_norm = "preprocessor.patchifier.norm";
  static_cast<BlockNames&>(names) = aimv2_apple_block_names();
  names.final_norm = "trunk.post_trunk_norm";
  names.pool.query = "head.cls_token";
  names.pool.key = "head.k";
  names.pool.value = "head.v";
  names.pool.output = "head.linear";
  names.projection = "image_projector";
  return names;
}

ImageModelDescription describe(const std::shared_ptr<const Checkpoint>& checkpoint,
                               const JsonObject& vision, const ImageModelOptions& options) {
  VitDefaults defaults;
  defaults.width = 1024;
  defaults.layers = 24;
  defaults.heads = 8;
  defaults.patch = 14;
  defaults.activation = "silu";
  VitSpec spec = read_vit_spec(vision, defaults);
  spec.mlp_width = read_mlp_width(vision, 2816);
  spec.gated_mlp = true;
  spec.norm = compute::NormKind::kRmsNorm;
  spec.epsilon = static_cast<float>(vision.number_or("rms_norm_eps", 1e-5, 0, 1));
  spec.output_bias = vision.flag_or("qkv_bias", false);
  spec.set_qkv_bias(spec.output_bias);
  spec.mlp_bias = vision.flag_or("mlp_bias", false);
  spec.prefix_tokens = 0;
  spec.requested_resize = PositionResize::kRefuse;
  if (vision.flag_or("is_native", false)) {
    if (spec.width % 4 != 0)
      throw RequestError(
          fmt::format("{}: hidden_size {} is not a multiple of 4", vision.label(), spec.width));
    spec.positions = Positions::kSinCos;
  }
  // Apple's configs do not say; the weights do. Without a head the reference pools nothing: there
  // is no class token, so the mean is taken.
  const bool apple = checkpoint->has_prefix("preprocessor.");
  const bool has_head =
      vision.flag_or("use_head", !apple || checkpoint->find("head.cls_token") != nullptr);
  spec.pooling = has_head ? Pooling::kAttention : Pooling::kMean;
  return describe_vision_transformer(
      checkpoint, "aimv2", spec, {transformers_names(), apple_names()},
      {"text_model.", "text_projection.", "logit_scale", "text_encoder.", "text_projector.",
       "log_logit_scale", "*position_ids"},
      read_processor(*checkpoint, "CLIPImageProcessor", options), options);
}

}  // namespace

ImageModelDescription describe_aimv2(const std::shared_ptr<const Checkpoint>& checkpoint,
                                     const ImageModelOptions& options) {
  const JsonObject& config = checkpoint->config();
  // Apple's configs of the image tower alone have this type too, and their keys at the top.
  if (!config.has("vision_config") && !config.has("text_config") && config.has("hidden_size"))
    return describe(checkpoint, config, options);
  if (checkpoint->find("visual_projection.weight") == nullptr &&
      checkpoint->find("image_projector.weight") == nullptr)
    throw RequestError(fmt::format(
        "model: '{}': missing: visual_projection.weight, which an 'aimv2' checkpoint of images and "
        "texts has",
        checkpoint->model()));
  return describe(checkpoint, nested_config(config, "vision_config"), options);
}

ImageModelDescription describe_aimv2_vision(const std::shared_ptr<const Checkpoint>& checkpoint,
                                            const ImageModelOptions& options) {
  return describe(checkpoint, checkpoint->config(), options);
}

}  // namespace vecframe::models
