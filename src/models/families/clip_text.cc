// CLIP's text tower, beside the image tower or in its own checkpoints.
//
// Source: transformers, models/clip/modeling_clip.py and configuration_clip.py.

#include <fmt/core.h>
#include <vecframe/error.h>

#include "models/families/block_names.h"
#include "models/families/families.h"
#include "models/families/text_families.h"

namespace vecframe::models {
namespace {

// Configs from before the id was corrected say 2 whatever the vocabulary; the reference then takes
// the token with the largest id.
constexpr std::int64_t kLegacyEnd = 2;

TextNames clip_text_names() {
  TextNames names;
  // Checkpoints of the text model alone, made from scratch by transformers 5, have no prefix.
  names.prefixes = {"text_model.", ""};
  names.tokens = "embeddings.token_embedding.weight";
  names.positions = "embeddings.position_embedding.weight";
  static_cast<BlockNames&>(names) = clip_block_names();
  names.final_norm = "final_layer_norm";
  names.projection = "text_projection";
  return names;
}

TextModelDescription describe(const std::shared_ptr<const Checkpoint>& checkpoint,
                              const JsonObject& text) {
  TextSpec spec = read_text_spec(text, {});
  const std::int64_t end = text.integer_or("eos_token_id", 49407, 0, spec.vocabulary - 1);
  spec.end_id = static_cast<TokenId>(end);
  if (end == kLegacyEnd) spec.pooling = TextPooling::kFirstOfLargest;
  TextModelDescription description = describe_text_transformer(
      checkpoint, "clip", spec, clip_text_names(),
      {"vision_model.", "visual_projection.", "logit_scale", "*position_ids"});
  check_projection(*checkpoint, "text_projection.weight");
  return description;
}

}  // namespace

TextModelDescription describe_clip_text(const std::shared_ptr<const Checkpoint>& checkpoint) {
  const JsonObject& config = checkpoint->config();
  if (checkpoint->find("text_projection.weight") == nullptr)
    throw RequestError(
        fmt::format("model: '{}': missing: text_projection.weight, which a 'clip' checkpoint has",
                    checkpoint->model()));
  // Old files carry both; the one ending in _dict then sets every field, also those it leaves out.
  const char* key = config.has("text_config_dict") ? "text_config_dict" : "text_config";
  return describe(checkpoint, nested_config(config, key));
}

// CLIPTextModel or CLIPTextModelWithProjection: projected exactly if the projection is there.
TextModelDescription describe_clip_text_model(const std::shared_ptr<const Checkpoint>& checkpoint) {
  return describe(checkpoint, checkpoint->config());
}

}  // namespace vecframe::models
