// SigLIP's text tower, beside the image tower or in its own checkpoints. SigLIP 2 of a fixed
// resolution is stored as SigLIP, with another tokenizer.
//
// Source: transformers, models/siglip/modeling_siglip.py and configuration_siglip.py.

#include "models/families/block_names.h"
#include "models/families/families.h"
#include "models/families/text_families.h"

namespace vecframe::models {
namespace {

TextNames siglip_text_names() {
  TextNames names;
  // Checkpoints of the text model alone, made from scratch by transformers 5, have no prefix.
  names.prefixes = {"text_model.", ""};
  names.tokens = "embeddings.token_embedding.weight";
  names.positions = "embeddings.position_embedding.weight";
  static_cast<BlockNames&>(names) = clip_block_names();
  names.final_norm = "final_layer_norm";
  names.projection = "head";
  names.projection_has_prefix = true;
  names.projection_bias = true;
  return names;
}

TextModelDescription describe(const std::shared_ptr<const Checkpoint>& checkpoint,
                              const JsonObject& text) {
  TextDefaults defaults;
  defaults.width = 768;
  defaults.heads = 12;
  defaults.mlp_width = 3072;
  defaults.vocabulary = 32000;
  defaults.positions = 64;
  defaults.activation = "gelu_pytorch_tanh";
  defaults.epsilon = 1e-6;
  TextSpec spec = read_text_spec(text, defaults);
  // Trained without a mask: every position sees the padding, and the last one is pooled.
  spec.causal = false;
  spec.pooling = TextPooling::kLast;
  return describe_text_transformer(checkpoint, "siglip", spec, siglip_text_names(),
                                   {"vision_model.", "logit_scale", "logit_bias", "*position_ids"});
}

}  // namespace

TextModelDescription describe_siglip_text(const std::shared_ptr<const Checkpoint>& checkpoint) {
  return describe(checkpoint, nested_config(checkpoint->config(), "text_config"));
}

TextModelDescription describe_siglip_text_model(
    const std::shared_ptr<const Checkpoint>& checkpoint) {
  return describe(checkpoint, checkpoint->config());
}

}  // namespace vecframe::models
