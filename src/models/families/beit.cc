// BEiT: attention knows the distances of patches.
//
// Source: transformers, models/beit/modeling_beit.py and configuration_beit.py.

#include <fmt/core.h>
#include <vecframe/error.h>

#include "models/families/block_names.h"
#include "models/families/families.h"
#include "models/processor.h"

namespace vecframe::models {
namespace {

// As on disk since the first versions.
VitNames stored_names(const JsonObject& config, const VitSpec& spec) {
  VitNames names;
  names.prefixes = {"", "beit."};
  names.class_token = "embeddings.cls_token";
  names.positions = "embeddings.position_embeddings";
  names.patch = "embeddings.patch_embeddings.projection";
  static_cast<BlockNames&>(names) = vit_block_names();
  names.block_distances = "attention.attention.relative_position_bias.relative_position_bias_table";
  names.shared_distances = "encoder.relative_position_bias.relative_position_bias_table";
  if (config.number_or("layer_scale_init_value", 0.1) > 0) {
    names.scale1 = "lambda_1";
    names.scale2 = "lambda_2";
  }
  names.final_norm = spec.norm_after_pooling ? "pooler.layernorm" : "layernorm";
  return names;
}

// As in memory since transformers 5, if saved without conversion.
VitNames in_memory_names(const JsonObject& config, const VitSpec& spec) {
  VitNames names = stored_names(config, spec);
  const BlockNames stored = names;
  static_cast<BlockNames&>(names) = vit_in_memory_block_names();
  names.scale1 = stored.scale1;
  names.scale2 = stored.scale2;
  names.block_distances = "relative_position_bias.relative_position_bias_table";
  names.shared_distances = "shared_position_bias.relative_position_bias_table";
  return names;
}

}  // namespace

ImageModelDescription describe_beit(const std::shared_ptr<const Checkpoint>& checkpoint,
                                    const ImageModelOptions& options) {
  const JsonObject& config = checkpoint->config();
  VitSpec spec = read_vit_spec(config, {});
  spec.mlp_width = read_mlp_width(config, 3072);
  spec.key_bias = false;
  spec.positions = config.flag_or("use_absolute_position_embeddings", false) ? Positions::kLearned
                                                                             : Positions::kNone;
  spec.position_resize = PositionResize::kBicubic;
  spec.block_distances = config.flag_or("use_relative_position_bias", false);
  spec.shared_distances = config.flag_or("use_shared_relative_position_bias", false);
  // The reference takes the height of such a table for its width.
  if ((spec.block_distances || spec.shared_distances) && spec.trained_height != spec.trained_width)
    throw RequestError(
        fmt::format("{}: relative positions of pictures of {}x{}; only those of squares are known",
                    config.label(), spec.trained_height, spec.trained_width));
  spec.norm_after_pooling = config.flag_or("use_mean_pooling", true);
  spec.pooling = spec.norm_after_pooling ? Pooling::kMean : Pooling::kClassToken;
  return describe_vision_transformer(
      checkpoint, "beit", spec, {stored_names(config, spec), in_memory_names(config, spec)},
      {"classifier.", "lm_head.", "*mask_token", "*relative_position_index"},
      read_processor(*checkpoint, "BeitImageProcessor", options), options);
}

}  // namespace vecframe::models
