#include "models/families/text_families.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>
#include <array>
#include <utility>

#include "models/families/families.h"
#include "models/text_transformer.h"

namespace vecframe::models {
namespace {

constexpr std::int64_t kMaxVocabulary = 1 << 24;
constexpr std::int64_t kMaxPositions = 1 << 16;

struct KnownFamily {
  std::string_view model_type;
  DescribeTextFamily describe;
};
constexpr std::array kFamilies{
    KnownFamily{"aimv2", describe_aimv2_text},
    KnownFamily{"clip", describe_clip_text},
    KnownFamily{"clip_text_model", describe_clip_text_model},
    KnownFamily{"siglip", describe_siglip_text},
    KnownFamily{"siglip2", describe_siglip_text},  // NaFlex: another image tower, the same texts
    KnownFamily{"siglip_text_model", describe_siglip_text_model},
};

DescribeTextFamily find_family(const JsonObject& config) {
  const std::string type = config.text_or("model_type", "");
  for (const KnownFamily& family : kFamilies) {
    if (family.model_type != type) continue;
    // Apple's configs of AIMv2's image tower alone have the type of both towers.
    const bool image_only = type == "aimv2" && !config.has("text_config") &&
                            !config.has("vision_config") && config.has("hidden_size");
    return image_only ? nullptr : family.describe;
  }
  return nullptr;
}

// Chooses how long texts are and checks that the tokenizer's ids are ones the network has rows for.
void fit_tokenizer(const Checkpoint& checkpoint, const TextTokenizer& tokenizer, TextSpec& spec) {
  const TextFrame& frame = tokenizer.frame();
  spec.max_tokens = std::min(spec.positions, frame.max_tokens.value_or(spec.positions));
  if (spec.max_tokens < std::max<std::int64_t>(1, frame.tokens()))
    throw RequestError(fmt::format(
        "model: '{}': texts of {} tokens have no room for the {} special ones of the tokenizer",
        checkpoint.model(), spec.max_tokens, frame.tokens()));
  if (tokenizer.largest_id() >= spec.vocabulary)
    throw RequestError(fmt::format(
        "model: '{}': the tokenizer has ids up to {}, but the token table of the weights has {} "
        "rows; they belong to different models",
        checkpoint.model(), tokenizer.largest_id(), spec.vocabulary));
  if (!spec.causal && !frame.padding)
    throw RequestError(fmt::format(
        "model: '{}': the tokenizer names no padding token, and this family's texts are padded; "
        "tokenizer_config.json should have a pad_token of the vocabulary",
        checkpoint.model()));
  if (frame.tokens() == 0 && spec.causal)
    throw RequestError(fmt::format(
        "model: '{}': the tokenizer puts no end token behind texts, and this family pools there",
        checkpoint.model()));
  const auto& after = frame.after;
  if (spec.pooling == TextPooling::kFirstOfId &&
      std::find(after.begin(), after.end(), spec.end_id) == after.end())
    throw RequestError(fmt::format(
        "model: '{}': eos_token_id of config.json is {}, which the tokenizer does not put behind "
        "texts; they belong to different models",
        checkpoint.model(), spec.end_id));
}

}  // namespace

bool has_text_tower(const Checkpoint& checkpoint) {
  return find_family(checkpoint.config()) != nullptr;
}

TextModelDescription describe_text_model(const std::shared_ptr<const Checkpoint>& checkpoint) {
  const JsonObject& config = checkpoint->config();
  if (const DescribeTextFamily describe = find_family(config)) return describe(checkpoint);
  const std::string type = config.text_or("model_type", config.text_or("architecture", ""));
  throw RequestError(fmt::format(
      "model: '{}' is of the family '{}', which has no text tower that this version runs; texts "
      "can "
      "be embedded with CLIP (openai/clip-vit-base-patch32), SigLIP and SigLIP 2 of a fixed "
      "resolution (google/siglip2-base-patch16-224), and AIMv2 lit "
      "(apple/aimv2-large-patch14-224-lit)",
      checkpoint->model(), type));
}

TextSpec read_text_spec(const JsonObject& config, const TextDefaults& defaults) {
  TextSpec spec;
  spec.width = config.integer_or("hidden_size", defaults.width, 1, kMaxWidth);
  spec.layers = config.integer_or("num_hidden_layers", defaults.layers, 1, kMaxLayers);
  spec.heads = config.integer_or("num_attention_heads", defaults.heads, 1, kMaxWidth);
  spec.mlp_width = read_mlp_width(config, defaults.mlp_width);
  spec.vocabulary = config.integer_or("vocab_size", defaults.vocabulary, 1, kMaxVocabulary);
  spec.positions =
      config.integer_or("max_position_embeddings", defaults.positions, 1, kMaxPositions);
  spec.activation = parse_activation(config, "hidden_act", defaults.activation);
  spec.epsilon = static_cast<float>(config.number_or(defaults.epsilon_key, defaults.epsilon));
  if (spec.width % spec.heads != 0)
    throw RequestError(fmt::format("{}: hidden_size {} is not a multiple of {} heads",
                                   config.label(), spec.width, spec.heads));
  return spec;
}

TextModelDescription describe_text_transformer(const std::shared_ptr<const Checkpoint>& checkpoint,
                                               std::string family, TextSpec spec,
                                               const TextNames& names,
                                               const std::vector<std::string_view>& ignored) {
  TensorCollector collector(*checkpoint);
  const TextTensors tensors = find_text_tensors(*checkpoint, collector, names, spec);
  collector.finish(ignored);
  // A table of a type that cannot be widened is found now.
  std::vector<float> row(static_cast<std::size_t>(spec.width));
  checkpoint->read_row(*tensors.tokens, 0, row);

  const std::shared_ptr<const TextTokenizer> tokenizer = read_tokenizer(checkpoint->directory());
  fit_tokenizer(*checkpoint, *tokenizer, spec);

  TextModelDescription description;
  description.family = std::move(family);
  description.dimension = tensors.dimension();
  description.max_tokens = spec.max_tokens;
  description.parameters = collector.parameters();
  description.table_parameters = tensors.tokens->count();
  // Both tables are added up on the host in float32.
  description.matrix_parameters =
      collector.matrix_parameters() - tensors.tokens->count() - tensors.positions->count();
  description.flops_per_text = text_flops(spec, tensors);
  description.efficient_batch = std::max<std::int64_t>(1, kEfficientRows / spec.max_tokens);
  description.tokenizer_fingerprint = tokenizer->fingerprint();
  description.load = [checkpoint, spec, tensors, tokenizer](compute::Backend& backend,
                                                            tensor::Precision precision) {
    return load_text_transformer(checkpoint, spec, tensors, tokenizer, backend, precision);
  };
  return description;
}

}  // namespace vecframe::models
