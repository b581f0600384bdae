// DINOv2, without and with registers.
//
// Source: transformers, models/dinov2/modeling_dinov2.py and
// models/dinov2_with_registers/modeling_dinov2_with_registers.py.

#include "models/families/families.h"
#include "models/processor.h"

namespace vecframe::models {
namespace {

VitNames dinov2_names(bool gated, bool has_registers) {
  VitNames names;
  names.prefixes = {"", "dinov2.", "dinov2_with_registers."};
  names.class_token = "embeddings.cls_token";
  if (has_registers) names.registers = "embeddings.register_tokens";
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
  names.fc1 = gated ? "mlp.weights_in" : "mlp.fc1";
  names.fc2 = gated ? "mlp.weights_out" : "mlp.fc2";
  names.scale2 = "layer_scale2.lambda1";
  names.final_norm = "layernorm";
  return names;
}

ImageModelDescription describe(const std::shared_ptr<const Checkpoint>& checkpoint,
                               std::string family, VitSpec spec, bool has_registers,
                               const ImageModelOptions& options) {
  const JsonObject& config = checkpoint->config();
  spec.set_qkv_bias(config.flag_or("qkv_bias", true));
  const std::int64_t mlp_width = spec.width * config.integer_or("mlp_ratio", 4, 1, 64);
  spec.gated_mlp = config.flag_or("use_swiglu_ffn", false);
  if (spec.gated_mlp) {  // two thirds, in whole eights; the activation is fixed
    spec.mlp_width = (mlp_width * 2 / 3 + 7) / 8 * 8;
    spec.activation = compute::Activation::kSilu;
  } else {
    spec.mlp_width = mlp_width;
  }
  return describe_vision_transformer(
      checkpoint, std::move(family), spec, {dinov2_names(spec.gated_mlp, has_registers)},
      {"classifier.", "*mask_token"}, read_processor(*checkpoint, "BitImageProcessor", options),
      options);
}

VitDefaults dinov2_defaults(std::int64_t patch) {
  VitDefaults defaults;
  defaults.patch = patch;
  defaults.epsilon = 1e-6;
  return defaults;
}

}  // namespace

ImageModelDescription describe_dinov2(const std::shared_ptr<const Checkpoint>& checkpoint,
                                      const ImageModelOptions& options) {
  VitSpec spec = read_vit_spec(checkpoint->config(), dinov2_defaults(14));
  spec.position_resize = PositionResize::kBicubic;
  return describe(checkpoint, "dinov2", spec, /*has_registers=*/false, options);
}

ImageModelDescription describe_dinov2_with_registers(
    const std::shared_ptr<const Checkpoint>& checkpoint, const ImageModelOptions& options) {
  const JsonObject& config = checkpoint->config();
  VitSpec spec = read_vit_spec(config, dinov2_defaults(16));
  spec.registers = config.integer_or("num_register_tokens", 4, 0, 1 << 12);
  spec.position_resize = PositionResize::kBicubicAntialiased;
  return describe(checkpoint, "dinov2-with-registers", spec, /*has_registers=*/true, options);
}

}  // namespace vecframe::models
