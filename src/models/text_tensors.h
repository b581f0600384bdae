// Where the weights of a text tower are: name tables of the families, and the tensors found by
// them.
#pragma once

#include <string_view>
#include <vector>

#include "models/encoder_tensors.h"
#include "models/text_spec.h"

namespace vecframe::models {

/// See BlockNames.
struct TextNames : BlockNames {
  std::vector<std::string_view> prefixes;  ///< of the names below but `projection`
  std::string_view tokens, positions;
  std::string_view final_norm;
  std::string_view projection;  ///< used if it is there
  bool projection_has_prefix = false;
  bool projection_bias = false;
};

struct TextTensors {
  const TensorInfo* tokens = nullptr;
  const TensorInfo* positions = nullptr;
  Affine final_norm, projection;
  std::vector<BlockTensors> blocks;

  /// Of the last layer that is applied.
  std::int64_t dimension() const;
};

/// Finds every tensor that `spec` means, under the first prefix that has a token table. Missing
/// ones are remembered by the collector. Throws RequestError if the checkpoint has more or fewer
/// blocks than `spec`.
TextTensors find_text_tensors(const Checkpoint& checkpoint, TensorCollector& collector,
                              const TextNames& names, const TextSpec& spec);

}  // namespace vecframe::models
