#include "models/families/timm_architecture.h"

#include <array>
#include <charconv>

namespace vecframe::models {
namespace {

VitNames timm_names() {
  VitNames names;
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

struct Size {
  std::string_view name;
  std::int64_t width, layers, heads;
  double mlp_ratio = 4;
};
constexpr std::array kPlainSizes{
    Size{"tiny", 192, 12, 3},    Size{"small", 384, 12, 6},  Size{"base", 768, 12, 12},
    Size{"large", 1024, 24, 16}, Size{"huge", 1280, 32, 16},
};
constexpr std::array kClipSizes{
    Size{"xsmall", 256, 10, 4},
    Size{"medium", 512, 12, 8},
    Size{"betwixt", 640, 12, 10},
    Size{"base", 768, 12, 12},
    Size{"large", 1024, 24, 16},
    Size{"huge", 1280, 32, 16},
    Size{"giant", 1408, 40, 16, 48.0 / 11},
    Size{"gigantic", 1664, 48, 16, 64.0 / 13},
};
constexpr std::array kSiglipSizes{
    Size{"base", 768, 12, 12},
    Size{"large", 1024, 24, 16},
    Size{"so400m", 1152, 27, 16, 3.7362},
    Size{"giantopt", 1536, 40, 16},
};
constexpr std::array kEva02Sizes{
    Size{"base", 768, 12, 12, 8.0 / 3},
    Size{"large", 1024, 24, 16, 8.0 / 3},
};
constexpr std::array kEva02PostNormSizes{Size{"enormous", 1792, 64, 16, 15360.0 / 1792}};
constexpr std::array kEvaSizes{Size{"giant", 1408, 40, 16, 6144.0 / 1408}};

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

// SIZE_patchP<kind>S and nothing after it. The sizes go into `to`.
template <std::size_t N>
bool read_name(std::string_view text, const std::array<Size, N>& sizes, std::string_view kind,
               TimmArchitecture& to) {
  for (const Size& size : sizes) {
    std::string_view rest = text;
    if (!skip(rest, size.name) || !skip(rest, "_patch") || !read_number(rest, to.spec.patch) ||
        !skip(rest, kind) || !read_number(rest, to.spec.trained_height) || !rest.empty())
      continue;
    to.spec.trained_width = to.spec.trained_height;
    to.spec.width = size.width;
    to.spec.layers = size.layers;
    to.spec.heads = size.heads;
    to.mlp_ratio = size.mlp_ratio;
    to.set_mlp_width();
    return true;
  }
  return false;
}

// CLIP's own: as a plain one, with a norm before the blocks.
TimmArchitecture clip(TimmArchitecture to, compute::Activation activation) {
  to.names.patch_bias = false;
  to.names.pre_norm = "norm_pre";
  to.spec.epsilon = 1e-5f;
  to.spec.activation = activation;
  return to;
}

// `pool` is "map" or, in the variants called gap, "avg": the mean of the normed tokens. Which names
// mean which approximation of GELU is as timm registers them.
TimmArchitecture siglip(TimmArchitecture to, std::string_view pool) {
  to.family = "siglip";
  to.pool = pool;
  to.names.class_token = "";
  to.spec.prefix_tokens = 0;
  const bool large512 = to.spec.width == 1024 && to.spec.trained_height == 512;
  const bool so400m16 = to.spec.width == 1152 && to.spec.patch == 16;
  if (to.spec.patch == 32 || to.spec.width == 1536 || large512 || so400m16)
    to.spec.activation = compute::Activation::kGeluTanh;
  if (pool == "avg") {
    to.spec.pooling = Pooling::kMean;
    return to;
  }
  to.spec.pooling = Pooling::kAttention;
  to.names.pool.query = "attn_pool.latent";
  to.names.pool.query_projection = "attn_pool.q";
  to.names.pool.key_value = "attn_pool.kv";
  to.names.pool.output = "attn_pool.proj";
  to.names.pool.norm = "attn_pool.norm";
  to.names.pool.fc1 = "attn_pool.mlp.fc1";
  to.names.pool.fc2 = "attn_pool.mlp.fc2";
  return to;
}

// EVA-01, and the largest EVA-02: as a plain one, but for biases that stand apart.
TimmArchitecture eva(TimmArchitecture to) {
  to.family = "eva-clip";
  to.names.query_bias = "attn.q_bias";
  to.names.value_bias = "attn.v_bias";
  return to;
}

// EVA-02 in its variant for CLIP.
TimmArchitecture eva02(TimmArchitecture to) {
  to.family = "eva-clip";
  to.spec.key_bias = false;
  to.spec.gated_mlp = true;
  to.spec.activation = compute::Activation::kSilu;
  to.spec.rotary = Rotary::kScaled;
  to.spec.rotary_base = 10000;
  to.spec.adjacent_pairs = true;
  to.names.qkv = "";
  to.names.query = "attn.q_proj";
  to.names.key = "attn.k_proj";
  to.names.value = "attn.v_proj";
  to.names.attention_norm = "attn.norm";
  to.names.fc1 = "";
  to.names.gate = "mlp.fc1_g";
  to.names.up = "mlp.fc1_x";
  to.names.mlp_norm = "mlp.norm";
  return to;
}

}  // namespace

std::optional<TimmArchitecture> parse_timm_architecture(std::string_view name) {
  TimmArchitecture to;
  to.family = "timm-vit";
  to.pool = "token";
  to.names = timm_names();
  to.spec.epsilon = 1e-6f;
  to.spec.requested_resize = PositionResize::kBicubicAntialiased;
  std::string_view text = name.substr(0, name.find('.'));  // without the tag
  if (skip(text, "eva02_")) {
    if (read_name(text, kEva02Sizes, "_clip_", to)) return eva02(to);
    if (!read_name(text, kEva02PostNormSizes, "_clip_", to)) return std::nullopt;
    to.spec.post_norm = true;
    return eva(to);
  }
  // Registered as a classifier; what makes it CLIP's is that its class token is pooled.
  if (skip(text, "eva_"))
    return read_name(text, kEvaSizes, "_clip_", to) || read_name(text, kEvaSizes, "_", to)
               ? std::optional(eva(to))
               : std::nullopt;
  const bool vit = skip(text, "vit_");
  if (!vit && !skip(text, "deit_")) return std::nullopt;
  if (read_name(text, kPlainSizes, "_", to)) return to;
  if (vit && read_name(text, kClipSizes, "_clip_", to))
    return clip(to, compute::Activation::kGeluErf);
  if (vit && read_name(text, kClipSizes, "_clip_quickgelu_", to))
    return clip(to, compute::Activation::kQuickGelu);
  if (vit && read_name(text, kSiglipSizes, "_siglip_", to)) return siglip(to, "map");
  if (vit && read_name(text, kSiglipSizes, "_siglip_gap_", to)) return siglip(to, "avg");
  return std::nullopt;
}

std::string_view known_timm_architectures() {
  return "vit_ and deit_ tiny, small, base, large and huge, as vit_base_patch16_224; "
         "vit_*_clip_*; vit_*_siglip_*; eva02_base_patch16_clip_224, eva02_large_patch14_clip_*, "
         "eva02_enormous_patch14_clip_224 and eva_giant_patch14_*";
}

}  // namespace vecframe::models
