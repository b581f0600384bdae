// DINOv3's vision transformers.
//
// Source: transformers, models/dinov3_vit/modeling_dinov3_vit.py and configuration_dinov3_vit.py.

#include <fmt/core.h>
#include <vecframe/error.h>

#include "models/families/families.h"
#include "models/processor.h"

namespace vecframe::models {
namespace {

VitNames dinov3_names(std::string_view block, bool gated) {
  VitNames names;
  names.prefixes = {""};
  names.class_token = "embeddings.cls_token";
  names.registers = "embeddings.register_tokens";
  names.patch = "embeddings.patch_embeddings";
  names.block = block;
  names.norm1 = "norm1";
  names.query = "attention.q_proj";
  names.key = "attention.k_proj";
  names.value = "attention.v_proj";
  names.output = "attention.o_proj";
  names.scale1 = "layer_scale1.lambda1";
  names.norm2 = "norm2";
  if (gated) {
    names.gate = "mlp.gate_proj";
    names.up = "mlp.up_proj";
  } else {
    names.fc1 = "mlp.up_proj";
  }
  names.fc2 = "mlp.down_proj";
  names.scale2 = "layer_scale2.lambda1";
  names.final_norm = "norm";
  return names;
}

}  // namespace

ImageModelDescription describe_dinov3_vit(const std::shared_ptr<const Checkpoint>& checkpoint,
                                          const ImageModelOptions& options) {
  const JsonObject& config = checkpoint->config();
  VitDefaults defaults;
  defaults.width = 384;
  defaults.heads = 6;
  defaults.epsilon = 1e-5;
  VitSpec spec = read_vit_spec(config, defaults);
  spec.mlp_width = read_mlp_width(config, 1536);
  spec.gated_mlp = config.flag_or("use_gated_mlp", false);
  spec.registers = config.integer_or("num_register_tokens", 0, 0, 1 << 12);
  spec.query_bias = config.flag_or("query_bias", true);
  spec.key_bias = config.flag_or("key_bias", false);
  spec.value_bias = config.flag_or("value_bias", true);
  spec.output_bias = config.flag_or("proj_bias", true);
  spec.mlp_bias = config.flag_or("mlp_bias", true);
  spec.positions = Positions::kNone;
  spec.rotary = Rotary::kCentred;
  spec.rotary_base = config.number_or("rope_theta", 100);
  if (!(spec.rotary_base > 0) || spec.width / spec.heads % 4 != 0)
    throw RequestError(fmt::format(
        "{}: rope_theta {} with heads of {} is no rotary position: it must be positive, "
        "and the heads a multiple of 4",
        config.label(), spec.rotary_base, spec.width / spec.heads));
  return describe_vision_transformer(
      checkpoint, "dinov3", spec,
      {dinov3_names("layer.", spec.gated_mlp), dinov3_names("model.layer.", spec.gated_mlp)},
      {"*mask_token"}, read_processor(*checkpoint, "DINOv3ViTImageProcessor", options), options);
}

}  // namespace vecframe::models
