// What the names of timm's vision transformers mean.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "models/vit_spec.h"
#include "models/vit_tensors.h"

namespace vecframe::models {

struct TimmArchitecture {
  std::string_view family;
  VitSpec spec;  ///< but for the size of the MLP
  double mlp_ratio = 4;
  std::string_view pool;  ///< what timm calls its pooling
  VitNames names;         ///< without prefixes

  /// Width of the MLP by the ratio, as timm rounds it.
  void set_mlp_width() {
    spec.mlp_width = static_cast<std::int64_t>(static_cast<double>(spec.width) * mlp_ratio);
  }
};

/// Nothing for a name whose architecture is not known: other names add parts.
std::optional<TimmArchitecture> parse_timm_architecture(std::string_view name);

/// The names that are known, for messages.
std::string_view known_timm_architectures();

}  // namespace vecframe::models
