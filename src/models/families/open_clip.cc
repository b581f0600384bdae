// Image towers of open_clip: its own vision transformer, and those of timm it is a frame for. The
// vector is what encode_image() gives, not normalised.
//
// Source: open_clip, model.py, transformer.py, timm_model.py and transform.py; BAAI's names of EVA:
// baaivision/EVA, EVA-CLIP/rei/eva_clip/eva_vit_model.py.

#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>
#include <array>

#include "models/families/families.h"
#include "models/families/timm_architecture.h"
#include "models/processor.h"

namespace vecframe::models {
namespace {

// Text towers and what compares the two.
const std::vector<std::string_view> kNotOfImages{"transformer.",         "token_embedding.",
                                                 "positional_embedding", "ln_final.",
                                                 "text_projection",      "text.",
                                                 "logit_scale",          "logit_bias"};

// Sizes that both kinds of tower may have, and what only matters in training or to captions.
constexpr std::array kCommonKeys{"image_size", "width",      "layers",        "head_width",
                                 "mlp_ratio",  "patch_size", "patch_dropout", "output_tokens"};
constexpr std::array kNativeKeys{"ls_init_value",       "no_ln_pre",         "pool_type",
                                 "final_ln_after_pool", "pos_embed_type",    "act_kwargs",
                                 "norm_kwargs",         "attn_pooler_heads", "attn_pooler_queries"};
constexpr std::array kTimmKeys{"timm_model_name", "timm_model_pretrained", "timm_pool",
                               "timm_proj",       "timm_proj_bias",        "timm_drop",
                               "timm_drop_path"};
// Parts that no known checkpoint has; off, they mean nothing.
constexpr std::array kUnknownParts{"attentional_pool", "qk_norm",          "scaled_cosine_attn",
                                   "scale_heads",      "scale_attn_inner", "scale_attn",
                                   "scale_fc"};

template <std::size_t N>
bool contains(const std::array<const char*, N>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void check_keys(const JsonObject& vision, bool is_timm) {
  for (const std::string& key : vision.keys()) {
    const bool known = contains(kCommonKeys, key) || contains(kTimmKeys, key) ||
                       (!is_timm && contains(kNativeKeys, key));
    if (known || !vision.has(key)) continue;  // null is as if absent
    if (key == "block_type" && vision.text_or(key, "") == "default") continue;
    if (contains(kUnknownParts, key) && !vision.flag_or(key, false)) continue;
    throw RequestError(
        fmt::format("{}: '{}' changes the image tower in a way this version does not run",
                    vision.label(), key));
  }
}

std::int64_t scaled_width(const JsonObject& vision, std::int64_t width, double fallback) {
  const double ratio = vision.number_or("mlp_ratio", fallback);
  if (!(ratio > 0 && ratio <= 64))
    throw RequestError(fmt::format("{}: 'mlp_ratio' is {}", vision.label(), ratio));
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(static_cast<double>(width) * ratio));
}

// Sizes of the config, or of `spec`.
void read_sizes(const JsonObject& vision, double mlp_ratio, VitSpec& spec) {
  if (vision.is_list("layers"))
    throw RequestError(fmt::format(
        "{}: 'layers' is a list: a ResNet, which this version does not run", vision.label()));
  const std::int64_t head = vision.integer_or("head_width", spec.head_width(), 1, 1 << 16);
  spec.width = vision.integer_or("width", spec.width, 1, 1 << 16);
  spec.heads = spec.width / head;  // as open_clip counts them; a rest is an error there and here
  if (spec.heads == 0 || spec.width % spec.heads != 0)
    throw RequestError(fmt::format("{}: 'width' {} is not a multiple of heads of {}",
                                   vision.label(), spec.width, head));
  spec.layers = vision.integer_or("layers", spec.layers, 1, 1024);
  spec.mlp_width = scaled_width(vision, spec.width, mlp_ratio);
  const auto [patch, patch_width] = read_sides(vision, "patch_size", spec.patch);
  if (patch != patch_width)
    throw RequestError(fmt::format("{}: 'patch_size' is not a square", vision.label()));
  spec.patch = patch;
  std::tie(spec.trained_height, spec.trained_width) = read_sides(vision, "image_size", 224);
  check_sizes(spec, vision.label());
}

compute::Activation read_activation(const JsonObject& model, const JsonObject& vision) {
  using compute::Activation;
  const bool quick = model.flag_or("quick_gelu", false);
  const auto arguments = vision.object("act_kwargs");
  if (!arguments || arguments->keys().empty())
    return quick ? Activation::kQuickGelu : Activation::kGeluErf;
  const std::string kind = arguments->text_or("approximate", "");
  if (quick || arguments->keys().size() != 1 || (kind != "tanh" && kind != "none"))
    throw RequestError(
        fmt::format("{}: only 'approximate' of tanh or none, and without 'quick_gelu', is known",
                    arguments->label()));
  return kind == "tanh" ? Activation::kGeluTanh : Activation::kGeluErf;
}

float read_epsilon(const JsonObject& vision) {
  const auto arguments = vision.object("norm_kwargs");
  if (!arguments) return 1e-5f;
  for (const std::string& key : arguments->keys()) {
    if (key != "eps")
      throw RequestError(
          fmt::format("{}: '{}' is not known; known is eps", arguments->label(), key));
  }
  return static_cast<float>(arguments->number_or("eps", 1e-5, 0, 1));
}

VitNames native_names(const JsonObject& vision) {
  VitNames names;
  names.prefixes = {"visual."};
  names.class_token = "class_embedding";
  names.positions = "positional_embedding";
  names.patch = "conv1";
  names.patch_bias = false;
  if (!vision.flag_or("no_ln_pre", false)) names.pre_norm = "ln_pre";
  names.block = "transformer.resblocks.";
  names.norm1 = "ln_1";
  names.in_projection = "attn.in_proj";
  names.output = "attn.out_proj";
  names.norm2 = "ln_2";
  names.fc1 = "mlp.c_fc";
  names.fc2 = "mlp.c_proj";
  if (vision.has("ls_init_value")) {
    names.scale1 = "ls_1.gamma";
    names.scale2 = "ls_2.gamma";
  }
  names.final_norm = "ln_post";
  names.projection_matrix = "visual.proj";
  names.leading_one = false;
  return names;
}

// BAAI's own names of EVA-02, without timm's trunk around it.
VitNames eva_originals(const VitNames& timm) {
  VitNames names = timm;
  names.prefixes = {"visual."};
  names.query_bias = "attn.q_bias";
  names.value_bias = "attn.v_bias";
  names.attention_norm = "attn.inner_attn_ln";
  names.gate = "mlp.w1";
  names.up = "mlp.w2";
  names.mlp_norm = "mlp.ffn_ln";
  names.fc2 = "mlp.w3";
  names.projection = "visual.head";
  names.projection_bias = true;
  return names;
}

ImageModelDescription describe(const std::shared_ptr<const Checkpoint>& checkpoint,
                               std::string family, const VitSpec& spec,
                               const std::vector<VitNames>& tables,
                               std::vector<std::string_view> ignored,
                               const ImageModelOptions& options) {
  ignored.insert(ignored.end(), kNotOfImages.begin(), kNotOfImages.end());
  const image::Size size{static_cast<std::uint32_t>(spec.trained_width),
                         static_cast<std::uint32_t>(spec.trained_height)};
  ImageModelDescription description = describe_vision_transformer(
      checkpoint, std::move(family), spec, tables, ignored,
      read_open_clip_processor(checkpoint->config(), size, options), options);
  const JsonObject model = *checkpoint->config().object("model_cfg");
  const std::int64_t dimension = model.integer("embed_dim", 1, 1 << 20);
  if (options.pooling == PoolingChoice::kDefault && description.dimension != dimension)
    throw RequestError(fmt::format(
        "model: '{}': the image tower makes vectors of {} values, but 'embed_dim' is {}",
        checkpoint->model(), description.dimension, dimension));
  return description;
}

ImageModelDescription describe_native(const std::shared_ptr<const Checkpoint>& checkpoint,
                                      const JsonObject& model, const JsonObject& vision,
                                      const ImageModelOptions& options) {
  VitSpec spec;
  spec.width = 768;
  spec.layers = 12;
  spec.heads = 12;
  spec.patch = 16;
  spec.requested_resize = PositionResize::kBicubicAntialiased;
  read_sizes(vision, 4.0, spec);
  spec.activation = read_activation(model, vision);
  spec.epsilon = read_epsilon(vision);
  spec.norm_after_pooling = vision.flag_or("final_ln_after_pool", false);
  const std::string pool = vision.text_or("pool_type", "tok");
  if (pool != "tok" && pool != "avg")
    throw RequestError(
        fmt::format("{}: 'pool_type' is '{}'; known are tok and avg", vision.label(), pool));
  spec.pooling = pool == "tok" ? Pooling::kClassToken : Pooling::kMean;
  return describe(checkpoint, "open-clip", spec, {native_names(vision)}, {}, options);
}

ImageModelDescription describe_trunk(const std::shared_ptr<const Checkpoint>& checkpoint,
                                     const JsonObject& vision, const ImageModelOptions& options) {
  const std::string name = vision.text_or("timm_model_name", "");
  std::optional<TimmArchitecture> architecture = parse_timm_architecture(name);
  if (!architecture)
    throw RequestError(fmt::format(
        "model: '{}' has timm's '{}' as its image tower, which this version does not run; it runs "
        "{}",
        checkpoint->model(), name, known_timm_architectures()));
  // open_clip itself takes sizes from the name alone. A trunk that was made with others says so
  // here; the shapes of its tensors are checked either way.
  read_sizes(vision, architecture->mlp_ratio, architecture->spec);
  const std::string pool = vision.text_or("timm_pool", "avg");
  if (pool != architecture->pool)
    throw RequestError(fmt::format("{}: 'timm_pool' of {} is '{}'; only '{}' is known",
                                   vision.label(), name, pool, architecture->pool));
  // Null, the trunk's own classifier projects; left out, it is a layer after the trunk. The tensors
  // tell the two apart.
  const std::string projection = vision.text_or("timm_proj", "");
  if (projection == "mlp")
    throw RequestError(
        fmt::format("{}: 'timm_proj' is 'mlp'; known are null, linear and none", vision.label()));
  const auto has = [&](const char* tensor) { return checkpoint->find(tensor) != nullptr; };
  if (projection != "none" && !has("visual.head.proj.weight") && !has("visual.trunk.head.weight") &&
      !has("visual.head.weight"))
    throw RequestError(fmt::format(
        "model: '{}': missing: visual.trunk.head.weight, or visual.head.proj.weight, which "
        "'timm_proj' means",
        checkpoint->model()));
  VitNames& names = architecture->names;
  names.prefixes = {"visual.trunk."};
  std::vector<VitNames> tables;
  if (has("visual.head.proj.weight")) {
    names.projection = "visual.head.proj";
    names.projection_bias = vision.flag_or("timm_proj_bias", false);
  } else {
    names.projection = "visual.trunk.head";
    names.projection_bias = true;
  }
  tables.push_back(names);
  if (architecture->spec.gated_mlp) tables.push_back(eva_originals(names));
  return describe(checkpoint, std::string(architecture->family), architecture->spec, tables,
                  {"*freqs_cos", "*freqs_sin"}, options);
}

}  // namespace

ImageModelDescription describe_open_clip(const std::shared_ptr<const Checkpoint>& checkpoint,
                                         const ImageModelOptions& options) {
  const JsonObject& config = checkpoint->config();
  const JsonObject model = *config.object("model_cfg");
  const auto vision = model.object("vision_cfg");
  if (!vision) throw RequestError(fmt::format("{}: 'vision_cfg' is missing", model.label()));
  const bool is_timm = vision->has("timm_model_name");
  check_keys(*vision, is_timm);
  return is_timm ? describe_trunk(checkpoint, *vision, options)
                 : describe_native(checkpoint, model, *vision, options);
}

}  // namespace vecframe::models
