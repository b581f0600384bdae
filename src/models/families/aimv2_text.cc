// The text tower of AIMv2 (lit), under transformers' names or Apple's own.
//
// The reference (transformers 5.23) builds its causal mask only when an attention mask is passed
// and some text of the batch is padded; other batches see what follows. The model was trained
// causal, and that is what runs here.
//
// Source: transformers, models/aimv2/modeling_aimv2.py and configuration_aimv2.py; Apple's names:
// transformers, models/aimv2/convert_aimv2_original_pytorch_to_hf.py.

#include <fmt/core.h>
#include <vecframe/error.h>

#include "models/families/block_names.h"
#include "models/families/families.h"
#include "models/families/text_families.h"

namespace vecframe::models {
namespace {

TextNames transformers_names() {
  TextNames names;
  names.prefixes = {"text_model."};
  names.tokens = "embeddings.token_embedding.weight";
  names.positions = "embeddings.position_embedding.weight";
  static_cast<BlockNames&>(names) = aimv2_block_names();
  names.final_norm = "rms_norm";
  names.projection = "text_projection";
  return names;
}

TextNames apple_names() {
  TextNames names;
  names.prefixes = {"text_encoder."};
  names.tokens = "preprocessor.text_embedding.weight";
  names.positions = "preprocessor.positional_embedding";
  static_cast<BlockNames&>(names) = aimv2_apple_block_names();
  names.final_norm = "trunk.post_trunk_norm";
  names.projection = "text_projector";
  return names;
}

}  // namespace

TextModelDescription describe_aimv2_text(const std::shared_ptr<const Checkpoint>& checkpoint) {
  const bool apple = checkpoint->has_prefix("text_encoder.");
  const TextNames names = apple ? apple_names() : transformers_names();
  const std::string projection = std::string(names.projection) + ".weight";
  if (checkpoint->find(projection) == nullptr)
    throw RequestError(
        fmt::format("model: '{}': missing: {}, which an 'aimv2' checkpoint of images and texts has",
                    checkpoint->model(), projection));
  const JsonObject text = nested_config(checkpoint->config(), "text_config");
  TextDefaults defaults;
  defaults.width = 768;
  defaults.heads = 6;
  defaults.activation = "silu";
  defaults.epsilon_key = "rms_norm_eps";
  TextSpec spec = read_text_spec(text, defaults);
  spec.gated_mlp = true;
  spec.norm = compute::NormKind::kRmsNorm;
  spec.output_bias = text.flag_or("qkv_bias", false);
  spec.set_qkv_bias(spec.output_bias);
  spec.mlp_bias = text.flag_or("mlp_bias", false);
  spec.end_id =
      static_cast<TokenId>(text.integer_or("eos_token_id", 49407, 0, spec.vocabulary - 1));
  return describe_text_transformer(
      checkpoint, "aimv2", spec, names,
      {"vision_model.", "visual_projection.", "logit_scale", "image_encoder.", "image_projector.",
       "log_logit_scale", "*position_ids"});
}

}  // namespace vecframe::models
