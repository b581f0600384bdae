// CLIP's image tower, in its own checkpoints or with the text tower beside it.
//
// Source: transformers, models/clip/modeling_clip.py and configuration_clip.py; models/metaclip_2
// and models/chinese_clip have the same image tower.

#include <fmt/core.h>
#include <vecframe/error.h>

#include "models/families/block_names.h"
#include "models/families/families.h"
#include "models/processor.h"

namespace vecframe::models {
namespace {

VitNames clip_names() {
  VitNames names;
  // Checkpoints of the vision model alone, made from scratch by transformers 5, have no prefix.
  names.prefixes = {"vision_model.", ""};
  names.class_token = "embeddings.class_embedding";
  names.positions = "embeddings.position_embedding.weight";
  names.patch = "embeddings.patch_embedding";
  names.patch_bias = false;
  names.pre_norm = "pre_layrnorm";  // spelled so
  static_cast<BlockNames&>(names) = clip_block_names();
  names.final_norm = "post_layernorm";
  names.projection = "visual_projection";
  names.leading_one = false;
  return names;
}

ImageModelDescription describe(const std::shared_ptr<const Checkpoint>& checkpoint,
                               const JsonObject& vision, const ImageModelOptions& options) {
  VitDefaults defaults;
  defaults.patch = 32;
  defaults.activation = "quick_gelu";
  defaults.epsilon = 1e-5;
  VitSpec spec = read_vit_spec(vision, defaults);
  spec.mlp_width = read_mlp_width(vision, 3072);
  ImageModelDescription description = describe_vision_transformer(
      checkpoint, "clip", spec, {clip_names()},
      {"text_model.", "text_projection.", "logit_scale", "*position_ids"},
      read_processor(*checkpoint, "CLIPImageProcessor", options), options);
  check_projection(*checkpoint, "visual_projection.weight");
  return description;
}

}  // namespace

ImageModelDescription describe_clip(const std::shared_ptr<const Checkpoint>& checkpoint,
                                    const ImageModelOptions& options) {
  const JsonObject& config = checkpoint->config();
  if (checkpoint->find("visual_projection.weight") == nullptr)
    throw RequestError(
        fmt::format("model: '{}': missing: visual_projection.weight, which a '{}' checkpoint has",
                    checkpoint->model(), config.text_or("model_type", "clip")));
  // Old files carry both; the one ending in _dict then sets every field, also those it leaves out.
  const char* key = config.has("vision_config_dict") ? "vision_config_dict" : "vision_config";
  return describe(checkpoint, nested_config(config, key), options);
}

// CLIPVisionModel or CLIPVisionModelWithProjection: projected exactly if the projection is there.
ImageModelDescription describe_clip_vision(const std::shared_ptr<const Checkpoint>& checkpoint,
                                           const ImageModelOptions& options) {
  return describe(checkpoint, checkpoint->config(), options);
}

}  // namespace vecframe::models
