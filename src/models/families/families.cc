#include "models/families/families.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>
#include <array>
#include <utility>

#include "models/vision_transformer.h"

namespace vecframe::models {
namespace {

// Bounds of what a config may ask for; see kMaxWidth.
constexpr std::int64_t kMaxPictureSide = 1 << 14;
// A preprocessor may ask for any picture size; with computed or resized positions no tensor bounds
// it. More tokens than these have never been useful.
constexpr std::int64_t kMaxPatches = 1 << 16;

struct KnownFamily {
  std::string_view model_type;
  DescribeFamily describe;
};
constexpr std::array kFamilies{
    KnownFamily{"aimv2", describe_aimv2},
    KnownFamily{"aimv2_vision_model", describe_aimv2_vision},
    KnownFamily{"beit", describe_beit},
    // Image towers of MetaCLIP 2 and Chinese-CLIP are CLIP's; only their texts differ.
    KnownFamily{"chinese_clip", describe_clip},
    KnownFamily{"chinese_clip_vision_model", describe_clip_vision},
    KnownFamily{"clip", describe_clip},
    KnownFamily{"clip_vision_model", describe_clip_vision},
    KnownFamily{"convnext", describe_convnext},
    KnownFamily{"convnextv2", describe_convnextv2},
    KnownFamily{"deit", describe_deit},
    KnownFamily{"dinov2", describe_dinov2},
    KnownFamily{"dinov2_with_registers", describe_dinov2_with_registers},
    KnownFamily{"dinov3_vit", describe_dinov3_vit},
    KnownFamily{"efficientnet-lite0", describe_efficientnet_lite},
    KnownFamily{"metaclip_2", describe_clip},
    KnownFamily{"metaclip_2_vision_model", describe_clip_vision},
    KnownFamily{"resnet", describe_resnet},
    KnownFamily{"siglip", describe_siglip},
    KnownFamily{"siglip2", describe_siglip2},
    KnownFamily{"siglip2_vision_model", describe_siglip2_vision},
    KnownFamily{"siglip_vision_model", describe_siglip_vision},
    KnownFamily{"vit", describe_vit},
};

}  // namespace

std::pair<std::int64_t, std::int64_t> read_sides(const JsonObject& config, std::string_view key,
                                                 std::int64_t fallback) {
  if (!config.is_list(key)) {
    const std::int64_t side = config.integer_or(key, fallback, 1, kMaxPictureSide);
    return {side, side};
  }
  const std::vector<double> sides = config.numbers(key);
  for (double side : sides) {
    if (sides.size() != 2 || side < 1 || side > static_cast<double>(kMaxPictureSide))
      throw RequestError(fmt::format("{}: '{}' is not a side or two", config.label(), key));
  }
  if (sides.empty())
    throw RequestError(fmt::format("{}: '{}' is not a side or two", config.label(), key));
  return {static_cast<std::int64_t>(sides[0]), static_cast<std::int64_t>(sides[1])};
}

void check_sizes(const VitSpec& spec, const std::string& label) {
  if (spec.width % spec.heads != 0 ||
      spec.patch > std::min(spec.trained_height, spec.trained_width))
    throw RequestError(fmt::format(
        "{}: width {} over {} heads, or patches of {} in pictures of {}x{}, do not "
        "come out",
        label, spec.width, spec.heads, spec.patch, spec.trained_height, spec.trained_width));
  if (spec.rotary != Rotary::kNone && spec.head_width() % 4 != 0)
    throw RequestError(
        fmt::format("{}: heads of {} have no rotary position: it takes a multiple of 4", label,
                    spec.head_width()));
}

namespace {

// Replaces what the family does after the final norm.
void choose_pooling(const Checkpoint& checkpoint, const std::string& family, PoolingChoice choice,
                    VitSpec& spec, VitTensors& tensors) {
  if (choice == PoolingChoice::kDefault) return;
  if (choice == PoolingChoice::kClassToken && tensors.class_token == nullptr)
    throw RequestError(fmt::format(
        "pooling: 'cls' needs a class token, which '{}' ({}) does not have; give default or mean",
        checkpoint.model(), family));
  if (choice == PoolingChoice::kClassToken && spec.norm_after_pooling &&
      spec.pooling == Pooling::kMean)
    throw RequestError(
        fmt::format("pooling: 'cls' needs a norm of the tokens; that of '{}' ({}) is of their "
                    "mean; give default "
                    "or mean",
                    checkpoint.model(), family));
  spec.pooling = choice == PoolingChoice::kMean ? Pooling::kMean : Pooling::kClassToken;
  tensors.pool = {};
  tensors.pooler = tensors.projection = {};
  tensors.projection_matrix = nullptr;
}

}  // namespace

ImageModelDescription describe_image_model(const std::shared_ptr<const Checkpoint>& checkpoint,
                                           const ImageModelOptions& options) {
  const JsonObject& config = checkpoint->config();
  const std::string type = config.text_or("model_type", "");
  for (const KnownFamily& family : kFamilies)
    if (family.model_type == type) return family.describe(checkpoint, options);
  if (config.has("model_cfg")) return describe_open_clip(checkpoint, options);
  if (type.empty() && config.has("architecture")) return describe_timm_vit(checkpoint, options);
  std::string known;
  for (const KnownFamily& family : kFamilies)
    known += (known.empty() ? "" : ", ") + std::string(family.model_type);
  throw RequestError(fmt::format(
      "model: '{}' is of the family '{}' (model_type in config.json), which this version does not "
      "run; it runs {}, open_clip's vision transformers, and timm's vit_*",
      checkpoint->model(), type, known));
}

compute::Activation parse_activation(const JsonObject& config, std::string_view key,
                                     std::string_view fallback) {
  using compute::Activation;
  struct Named {
    std::string_view name;
    Activation activation;
  };
  constexpr std::array kNamed{
      Named{"quick_gelu", Activation::kQuickGelu},
      Named{"gelu", Activation::kGeluErf},
      Named{"gelu_erf", Activation::kGeluErf},
      Named{"gelu_pytorch_tanh", Activation::kGeluTanh},
      Named{"gelu_new", Activation::kGeluTanh},
      Named{"gelu_fast", Activation::kGeluTanh},
      Named{"silu", Activation::kSilu},
      Named{"swish", Activation::kSilu},
      Named{"relu", Activation::kRelu},
  };
  const std::string name = config.text_or(key, fallback);
  std::string known;
  for (const Named& named : kNamed) {
    if (named.name == name) return named.activation;
    known += (known.empty() ? "" : ", ") + std::string(named.name);
  }
  throw RequestError(
      fmt::format("{}: '{}' is '{}'; known are {}", config.label(), key, name, known));
}

JsonObject nested_config(const JsonObject& config, std::string_view key) {
  return config.object(key).value_or(JsonObject::empty(fmt::format("{}: {}", config.label(), key)));
}

void check_projection(const Checkpoint& checkpoint, std::string_view tensor) {
  const std::int64_t said = checkpoint.config().integer_or("projection_dim", 0, 0, 1 << 20);
  const TensorInfo* projection = checkpoint.find(tensor);
  if (projection != nullptr && said != 0 && projection->shape[0] != said)
    throw RequestError(fmt::format("model: '{}': {} has {} rows, but projection_dim is {}",
                                   checkpoint.model(), tensor, projection->shape[0], said));
}

std::int64_t read_mlp_width(const JsonObject& config, std::int64_t fallback) {
  return config.integer_or("intermediate_size", fallback, 1, 4 * kMaxWidth);
}

VitSpec read_vit_spec(const JsonObject& config, const VitDefaults& defaults) {
  VitSpec spec;
  spec.width = config.integer_or("hidden_size", defaults.width, 1, kMaxWidth);
  spec.layers = config.integer_or("num_hidden_layers", defaults.layers, 1, kMaxLayers);
  spec.heads = config.integer_or("num_attention_heads", defaults.heads, 1, kMaxWidth);
  std::tie(spec.trained_height, spec.trained_width) =
      read_sides(config, "image_size", defaults.image_size);
  const auto [patch, patch_width] = read_sides(config, "patch_size", defaults.patch);
  spec.patch = patch;
  spec.activation = parse_activation(config, "hidden_act", defaults.activation);
  spec.epsilon = static_cast<float>(config.number_or("layer_norm_eps", defaults.epsilon, 0, 1));
  if (spec.width % spec.heads != 0)
    throw RequestError(fmt::format("{}: hidden_size {} is not a multiple of {} heads",
                                   config.label(), spec.width, spec.heads));
  if (patch != patch_width || patch > std::min(spec.trained_height, spec.trained_width))
    throw RequestError(fmt::format("{}: patches of {}x{} do not cut a picture of {}x{}",
                                   config.label(), patch, patch_width, spec.trained_height,
                                   spec.trained_width));
  if (config.integer_or("num_channels", 3, 1, 1 << 16) != 3)
    throw RequestError(
        fmt::format("{}: 'num_channels' is not 3; only colour models run", config.label()));
  return spec;
}

void refuse_pooling(const Checkpoint& checkpoint, std::string_view family,
                    const ImageModelOptions& options) {
  if (options.pooling != PoolingChoice::kDefault)
    throw RequestError(fmt::format("pooling: '{}' ({}) has one way to pool; give default",
                                   checkpoint.model(), family));
}

void refuse_image_options(const Checkpoint& checkpoint, std::string_view family,
                          const ImageModelOptions& options) {
  refuse_pooling(checkpoint, family, options);
  if (options.image_size)
    throw RequestError(fmt::format("image_size: '{}' ({}) takes one size of picture; leave it out",
                                   checkpoint.model(), family));
}

ImageModelDescription describe_vision_transformer(
    const std::shared_ptr<const Checkpoint>& checkpoint, std::string family, VitSpec spec,
    const std::vector<VitNames>& tables, const std::vector<std::string_view>& ignored,
    const image::PrepareSpec& prepare, const ImageModelOptions& options) {
  if (prepare.has_variable_size())
    throw RequestError(fmt::format(
        "model: '{}': the preprocessor makes pictures of different sizes, but the model takes "
        "{}x{}; they belong to different models",
        checkpoint->model(), spec.trained_height, spec.trained_width));
  const image::Size slot = prepare.slot_size();
  spec.image_height = slot.height;
  spec.image_width = slot.width;
  if (options.image_size && spec.position_resize == PositionResize::kRefuse)
    spec.position_resize = spec.requested_resize;
  const bool resized =
      spec.image_height != spec.trained_height || spec.image_width != spec.trained_width;
  if (resized && spec.positions == Positions::kLearned &&
      spec.position_resize == PositionResize::kRefuse) {
    if (options.image_size)
      throw RequestError(
          fmt::format("image_size: {} is not possible, because the positions of '{}' ({}) cannot "
                      "be interpolated; leave it out or give {}",
                      *options.image_size, checkpoint->model(), family, spec.trained_height));
    throw RequestError(fmt::format(
        "model: '{}': the preprocessor makes pictures of {}x{}, but the model takes {}x{}; they "
        "belong to different models",
        checkpoint->model(), spec.image_height, spec.image_width, spec.trained_height,
        spec.trained_width));
  }
  if (spec.patches() == 0)
    throw RequestError(fmt::format("model: '{}': a picture of {}x{} holds no patch of {}",
                                   checkpoint->model(), spec.image_height, spec.image_width,
                                   spec.patch));
  if (spec.patches() > kMaxPatches)
    throw RequestError(fmt::format(
        "model: '{}': a picture of {}x{} is {} patches of {}; the most there may be are {}",
        checkpoint->model(), spec.image_height, spec.image_width, spec.patches(), spec.patch,
        kMaxPatches));

  TensorCollector collector(*checkpoint);
  VitTensors tensors =
      find_tensors(*checkpoint, collector, matching_names(*checkpoint, tables), spec);
  collector.finish(ignored);
  choose_pooling(*checkpoint, family, options.pooling, spec, tensors);

  ImageModelDescription description;
  description.family = std::move(family);
  description.dimension = tensors.dimension();
  description.parameters = collector.parameters();
  description.matrix_parameters = collector.matrix_parameters();
  description.flops_per_image = vit_flops(spec, tensors);
  description.efficient_batch = std::max<std::int64_t>(1, kEfficientRows / spec.tokens());
  description.prepare = prepare;
  description.load = [checkpoint, spec, tensors](compute::Backend& backend,
                                                 tensor::Precision precision) {
    return load_vision_transformer(*checkpoint, spec, tensors, backend, precision);
  };
  return description;
}

}  // namespace vecframe::models
