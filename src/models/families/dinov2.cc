// DINOv2 without registers.
//
// Source: transformers, models/dinov2/modeling_dinov2.py.

#include <fmt/core.h>
#include <vecframe/error.h>

#include "models/families/families.h"
#include "models/processor.h"

namespace vecframe::models {
namespace {

VitNames dinov2_names() {
  VitNames names;
  names.prefixes = {"", "dinov2."};
  names.class_token = "embeddings.cls_token";
  names.positions = "embeddings.position_embeddings";
  names.patch = "embeddings.patch_embeddings.projection";
  names.block = "encoder.layer.";
  names.norm1 = "norm1";
  names.query = "attention.attention.query";
  names.key = "attention.attention.key";
  names.value = "attention.attention.value";
  names.output = "attention.output.dense";
  names.scale1 = "layer_scale1.lambda1";
  names.norm2 = "norm2";
  names.fc1 = "mlp.fc1";
  names.fc2 = "mlp.fc2";
  names.scale2 = "layer_scale2.lambda1";
  names.final_norm = "layernorm";
  return names;
}

}  // namespace

ImageModelDescription describe_dinov2(const std::shared_ptr<const Checkpoint>& checkpoint,
                                      ProcessorBackend processor) {
  const JsonObject& config = checkpoint->config();
  if (config.flag_or("use_swiglu_ffn", false))
    throw RequestError(fmt::format(
        "model: '{}' has gated MLPs (use_swiglu_ffn, as dinov2-giant), which this version does "
        "not run; take dinov2-small, -base or -large",
        checkpoint->model()));
  VitDefaults defaults;
  defaults.patch = 14;
  defaults.epsilon = 1e-6;
  VitSpec spec = read_vit_spec(config, defaults);
  spec.mlp_width = spec.width * config.integer_or("mlp_ratio", 4, 1, 64);
  spec.qkv_bias = config.flag_or("qkv_bias", true);
  spec.position_resize = PositionResize::kBicubic;
  return describe_vision_transformer(checkpoint, "dinov2", spec, {dinov2_names()},
                                     {"classifier.", "*mask_token"},
                                     read_processor(*checkpoint, "BitImageProcessor", processor));
}

}  // namespace vecframe::models
