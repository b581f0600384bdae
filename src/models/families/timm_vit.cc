// Vision transformers under timm's names: config.json has `architecture`, and either
// `pretrained_cfg` (as timm pushes to the hub) or all sizes flat beside it. The vector is what timm
// gives without a classifier.
//
// Source: timm, models/vision_transformer.py, models/eva.py and models/_hub.py.

#include <fmt/core.h>
#include <vecframe/error.h>

#include "models/families/families.h"
#include "models/families/timm_architecture.h"
#include "models/processor.h"

namespace vecframe::models {
namespace {

// Keys of `model_args`, or of the flat config, that change the architecture of the name.
void apply_arguments(const JsonObject& arguments, TimmArchitecture& architecture) {
  VitSpec& spec = architecture.spec;
  spec.width = arguments.integer_or("embed_dim", spec.width, 1, 1 << 16);
  spec.layers = arguments.integer_or("depth", spec.layers, 1, 1024);
  spec.heads = arguments.integer_or("num_heads", spec.heads, 1, 1 << 16);
  spec.patch = arguments.integer_or("patch_size", spec.patch, 1, 1 << 14);
  spec.trained_height = arguments.integer_or("img_size", spec.trained_height, 1, 1 << 14);
  spec.trained_width = spec.trained_height;
  architecture.mlp_ratio = arguments.number_or("mlp_ratio", architecture.mlp_ratio);
  if (!(architecture.mlp_ratio > 0 && architecture.mlp_ratio <= 64))
    throw RequestError(
        fmt::format("{}: 'mlp_ratio' is {}", arguments.label(), architecture.mlp_ratio));
  architecture.set_mlp_width();
  if (spec.mlp_width < 1)
    throw RequestError(fmt::format("{}: 'mlp_ratio' {} leaves no hidden layer", arguments.label(),
                                   architecture.mlp_ratio));
  if (arguments.has("qkv_bias")) {
    spec.query_bias = spec.value_bias = arguments.flag_or("qkv_bias", true);
    spec.key_bias = spec.key_bias && spec.query_bias;
    if (!spec.query_bias) architecture.names.query_bias = architecture.names.value_bias = "";
  }
  for (const char* key : {"init_values", "qk_norm", "reg_tokens", "no_embed_class", "pre_norm",
                          "fc_norm", "class_token", "norm_layer", "act_layer", "mlp_layer"}) {
    if (arguments.has(key))
      throw RequestError(
          fmt::format("{}: '{}' changes the plain architecture in a way this "
                      "version does not run",
                      arguments.label(), key));
  }
}

// Of a classifier, the class token is what CLIP's own checkpoints pool.
void check_pooling(const JsonObject& config, std::string_view meant) {
  for (const char* key : {"pool", "global_pool"}) {
    std::string pool = config.text_or(key, meant);
    if (pool == "cls") pool = "token";
    if (pool != meant)
      throw RequestError(fmt::format("{}: '{}' is '{}'; only '{}' is pooled here", config.label(),
                                     key, pool, meant));
  }
}

}  // namespace

ImageModelDescription describe_timm_vit(const std::shared_ptr<const Checkpoint>& checkpoint,
                                        const ImageModelOptions& options) {
  const JsonObject& config = checkpoint->config();
  const std::string name = config.text_or("architecture", "");
  std::optional<TimmArchitecture> architecture = parse_timm_architecture(name);
  if (!architecture)
    throw RequestError(
        fmt::format("model: '{}' is timm's '{}', which this version does not run; it runs {}",
                    checkpoint->model(), name, known_timm_architectures()));
  VitSpec& spec = architecture->spec;
  spec.epsilon = static_cast<float>(config.number_or("layer_norm_eps", spec.epsilon, 0, 1));
  if (config.has("act")) spec.activation = parse_activation(config, "act", "gelu");
  apply_arguments(config, *architecture);
  if (const auto arguments = config.object("model_args"))
    apply_arguments(*arguments, *architecture);
  check_pooling(config, architecture->pool);
  check_sizes(spec, config.label());
  architecture->names.prefixes = {""};
  return describe_vision_transformer(checkpoint, std::string(architecture->family), spec,
                                     {architecture->names}, {"head."},
                                     read_timm_processor(config, options), options);
}

}  // namespace vecframe::models
