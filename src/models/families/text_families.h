// The families that have a text tower, one file each beside that of their image tower.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint.h"
#include "models/text_model.h"
#include "models/text_spec.h"
#include "models/text_tensors.h"

namespace vecframe::models {

using DescribeTextFamily = TextModelDescription (*)(const std::shared_ptr<const Checkpoint>&);

TextModelDescription describe_aimv2_text(const std::shared_ptr<const Checkpoint>& checkpoint);
TextModelDescription describe_clip_text(const std::shared_ptr<const Checkpoint>& checkpoint);
/// The text tower alone.
TextModelDescription describe_clip_text_model(const std::shared_ptr<const Checkpoint>& checkpoint);
TextModelDescription describe_siglip_text(const std::shared_ptr<const Checkpoint>& checkpoint);
TextModelDescription describe_siglip_text_model(
    const std::shared_ptr<const Checkpoint>& checkpoint);

/// Class defaults of a text config: what a key that is not in the file means.
struct TextDefaults {
  std::int64_t width = 512, layers = 12, heads = 8, mlp_width = 2048;
  std::int64_t vocabulary = 49408, positions = 77;
  std::string_view activation = "quick_gelu";
  std::string_view epsilon_key = "layer_norm_eps";
  double epsilon = 1e-5;
};

/// The sizes by the keys that all Hugging Face text configs share.
TextSpec read_text_spec(const JsonObject& config, const TextDefaults& defaults);

/// Finds the tensors, reads the tokenizer, checks that they belong together, and binds the loader.
/// `ignored`: see TensorCollector::finish.
TextModelDescription describe_text_transformer(const std::shared_ptr<const Checkpoint>& checkpoint,
                                               std::string family, TextSpec spec,
                                               const TextNames& names,
                                               const std::vector<std::string_view>& ignored);

}  // namespace vecframe::models
