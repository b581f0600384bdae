// Plain vision transformers under timm's names: config.json has `architecture`, and either
// `pretrained_cfg` (as timm pushes to the hub) or all sizes flat beside it.
//
// Source: timm, models/vision_transformer.py and models/_hub.py.

#include <fmt/core.h>
#include <vecframe/error.h>

#include <array>
#include <charconv>

#include "models/families/families.h"
#include "models/processor.h"

namespace vecframe::models {
namespace {

VitNames timm_names() {
  VitNames names;
  names.prefixes = {""};
  names.class_token = "cls_token";
  names.positions = "pos_embed";
  names.patch = "patch_embed.proj";
  names.block = "blocks.";
  names.norm1 = "norm1";
  names.qkv = "attn.qkv";
  names.output = "attn.proj";
  names.norm2 = "norm2";
  names.fc1 = "mlp.fc1";
  names.fc2 = "mlp.fc2";
  names.final_norm = "norm";
  return names;
}

struct Variant {
  std::string_view name;
  std::int64_t width, layers, heads, mlp_width;
};
constexpr std::array kVariants{
    Variant{"tiny", 192, 12, 3, 768},    Variant{"small", 384, 12, 6, 1536},
    Variant{"base", 768, 12, 12, 3072},  Variant{"large", 1024, 24, 16, 4096},
    Variant{"huge", 1280, 32, 16, 5120},
};

bool read_number(std::string_view& text, std::int64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 1 || number > (1 << 14)) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool skip(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// vit_SIZE_patchP_S[.tag] and deit_...: the names that mean the plain architecture. Others (clip,
// dinov2, reg4, ...) add parts.
bool parse_architecture(std::string_view text, VitSpec& spec) {
  text = text.substr(0, text.find('.'));
  if (!skip(text, "vit_") && !skip(text, "deit_")) return false;
  for (const Variant& variant : kVariants) {
    std::string_view rest = text;
    if (!skip(rest, variant.name) || !skip(rest, "_patch") || !read_number(rest, spec.patch) ||
        !skip(rest, "_") || !read_number(rest, spec.trained_height) || !rest.empty())
      continue;
    spec.trained_width = spec.trained_height;
    spec.width = variant.width;
    spec.layers = variant.layers;
    spec.heads = variant.heads;
    spec.mlp_width = variant.mlp_width;
    return true;
  }
  return false;
}

// Keys of `model_args`, or of the flat config, that change the plain architecture.
void apply_arguments(const JsonObject& arguments, VitSpec& spec) {
  spec.width = arguments.integer_or("embed_dim", spec.width, 1, 1 << 16);
  spec.layers = arguments.integer_or("depth", spec.layers, 1, 1024);
  spec.heads = arguments.integer_or("num_heads", spec.heads, 1, 1 << 16);
  spec.patch = arguments.integer_or("patch_size", spec.patch, 1, 1 << 14);
  spec.trained_height = arguments.integer_or("img_size", spec.trained_height, 1, 1 << 14);
  spec.trained_width = spec.trained_height;
  const double ratio = arguments.number_or("mlp_ratio", 4.0);
  if (!(ratio > 0 && ratio <= 64))
    throw RequestError(fmt::format("{}: 'mlp_ratio' is {}", arguments.label(), ratio));
  spec.mlp_width = static_cast<std::int64_t>(static_cast<double>(spec.width) * ratio);
  if (spec.mlp_width < 1)
    throw RequestError(
        fmt::format("{}: 'mlp_ratio' {} leaves no hidden layer", arguments.label(), ratio));
  spec.set_qkv_bias(arguments.flag_or("qkv_bias", true));
  for (const char* key : {"init_values", "qk_norm", "reg_tokens", "no_embed_class", "pre_norm",
                          "fc_norm", "class_token", "norm_layer", "act_layer", "mlp_layer"}) {
    if (arguments.has(key))
      throw RequestError(
          fmt::format("{}: '{}' changes the plain architecture in a way this "
                      "version does not run",
                      arguments.label(), key));
  }
}

}  // namespace

ImageModelDescription describe_timm_vit(const std::shared_ptr<const Checkpoint>& checkpoint,
                                        const ImageModelOptions& options) {
  const JsonObject& config = checkpoint->config();
  const std::string architecture = config.text_or("architecture", "");
  VitSpec spec;
  if (!parse_architecture(architecture, spec))
    throw RequestError(fmt::format(
        "model: '{}' is timm's '{}', which this version does not run; it runs vit_ and deit_ "
        "tiny, small, base, large and huge, as vit_base_patch16_224",
        checkpoint->model(), architecture));
  spec.epsilon = static_cast<float>(config.number_or("layer_norm_eps", 1e-6, 0, 1));
  spec.activation = parse_activation(config, "act", "gelu");
  apply_arguments(config, spec);
  if (const auto arguments = config.object("model_args")) apply_arguments(*arguments, spec);
  for (const char* key : {"pool", "global_pool"}) {
    const std::string pool = config.text_or(key, "token");
    if (pool != "token" && pool != "cls")
      throw RequestError(fmt::format("{}: '{}' is '{}'; only the class token (token) is pooled",
                                     config.label(), key, pool));
  }
  if (spec.width % spec.heads != 0 || spec.patch > spec.trained_height)
    throw RequestError(
        fmt::format("{}: width {} over {} heads, or patches of {} in pictures of "
                    "{}, do not come out",
                    config.label(), spec.width, spec.heads, spec.patch, spec.trained_height));
  return describe_vision_transformer(checkpoint, "timm-vit", spec, {timm_names()}, {"head."},
                                     read_timm_processor(config, options), options);
}

}  // namespace vecframe::models
