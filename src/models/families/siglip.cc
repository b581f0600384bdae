// SigLIP's image tower, in its own checkpoints or with the text tower beside it. SigLIP 2 of a
// fixed resolution is stored as SigLIP.
//
// Source: transformers, models/siglip/modeling_siglip.py and configuration_siglip.py.

#include "models/families/block_names.h"
#include "models/families/families.h"
#include "models/families/siglip_names.h"
#include "models/processor.h"

namespace vecframe::models {

VitNames siglip_names() {
  VitNames names;
  // Checkpoints of the vision model alone, made from scratch by transformers 5, have no prefix.
  names.prefixes = {"vision_model.", ""};
  names.positions = "embeddings.position_embedding.weight";
  names.patch = "embeddings.patch_embedding";
  static_cast<BlockNames&>(names) = clip_block_names();
  names.final_norm = "post_layernorm";
  names.pool.query = "head.probe";
  names.pool.in_projection = "head.attention.in_proj";
  names.pool.output = "head.attention.out_proj";
  names.pool.norm = "head.layernorm";
  names.pool.fc1 = "head.mlp.fc1";
  names.pool.fc2 = "head.mlp.fc2";
  names.leading_one = false;
  return names;
}

namespace {

ImageModelDescription describe(const std::shared_ptr<const Checkpoint>& checkpoint,
                               const JsonObject& vision, const ImageModelOptions& options) {
  VitDefaults defaults;
  defaults.activation = "gelu_pytorch_tanh";
  defaults.epsilon = 1e-6;
  VitSpec spec = read_vit_spec(vision, defaults);
  spec.mlp_width = read_mlp_width(vision, 3072);
  spec.prefix_tokens = 0;
  // Without a head the reference pools nothing; there is no class token, so the mean is taken.
  spec.pooling = vision.flag_or("vision_use_head", true) ? Pooling::kAttention : Pooling::kMean;
  return describe_vision_transformer(checkpoint, "siglip", spec, {siglip_names()},
                                     {"text_model.", "logit_scale", "logit_bias", "*position_ids"},
                                     read_processor(*checkpoint, "SiglipImageProcessor", options),
                                     options);
}

}  // namespace

ImageModelDescription describe_siglip(const std::shared_ptr<const Checkpoint>& checkpoint,
                                      const ImageModelOptions& options) {
  return describe(checkpoint, nested_config(checkpoint->config(), "vision_config"), options);
}

ImageModelDescription describe_siglip_vision(const std::shared_ptr<const Checkpoint>& checkpoint,
                                             const ImageModelOptions& options) {
  return describe(checkpoint, checkpoint->config(), options);
}

}  // namespace vecframe::models
