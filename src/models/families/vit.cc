// ViT and DeiT as transformers store them. DINO (first version) checkpoints are ViT too.
//
// Source: transformers, models/vit and models/deit.

#include "models/families/block_names.h"
#include "models/families/families.h"
#include "models/processor.h"

namespace vecframe::models {
namespace {

// As on disk since the first versions.
VitNames stored_names() {
  VitNames names;
  names.prefixes = {"", "vit.", "deit."};
  names.class_token = "embeddings.cls_token";
  names.positions = "embeddings.position_embeddings";
  names.patch = "embeddings.patch_embeddings.projection";
  static_cast<BlockNames&>(names) = vit_block_names();
  names.final_norm = "layernorm";
  names.pooler = "pooler.dense";
  return names;
}

// As in memory since transformers 5, if saved without conversion.
VitNames in_memory_names() {
  VitNames names = stored_names();
  static_cast<BlockNames&>(names) = vit_in_memory_block_names();
  return names;
}

ImageModelDescription describe(const std::shared_ptr<const Checkpoint>& checkpoint, bool distilled,
                               const ImageModelOptions& options) {
  const JsonObject& config = checkpoint->config();
  VitSpec spec = read_vit_spec(config, {});
  spec.mlp_width = read_mlp_width(config, 3072);
  spec.set_qkv_bias(config.flag_or("qkv_bias", true));
  std::vector<VitNames> tables{stored_names(), in_memory_names()};
  if (distilled) {
    spec.prefix_tokens = 2;
    for (VitNames& names : tables) names.distillation_token = "embeddings.distillation_token";
  }
  return describe_vision_transformer(
      checkpoint, distilled ? "deit" : "vit", spec, tables,
      {"classifier.", "cls_classifier.", "distillation_classifier.", "decoder.", "*mask_token",
       "*position_ids"},
      read_processor(*checkpoint, distilled ? "DeiTImageProcessor" : "ViTImageProcessor", options),
      options);
}

}  // namespace

ImageModelDescription describe_vit(const std::shared_ptr<const Checkpoint>& checkpoint,
                                   const ImageModelOptions& options) {
  return describe(checkpoint, /*distilled=*/false, options);
}

ImageModelDescription describe_deit(const std::shared_ptr<const Checkpoint>& checkpoint,
                                    const ImageModelOptions& options) {
  return describe(checkpoint, /*distilled=*/true, options);
}

}  // namespace vecframe::models
