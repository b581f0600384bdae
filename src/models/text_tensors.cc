#include "models/text_tensors.h"

#include <string>

namespace vecframe::models {

using Shape = std::vector<std::int64_t>;

std::int64_t TextTensors::dimension() const {
  if (projection.weight != nullptr) return projection.weight->shape[0];
  return final_norm.weight != nullptr ? final_norm.weight->shape[0] : 0;
}

TextTensors find_text_tensors(const Checkpoint& checkpoint, TensorCollector& collector,
                              const TextNames& names, const TextSpec& spec) {
  std::string prefix(names.prefixes.front());
  for (const std::string_view candidate : names.prefixes) {
    if (checkpoint.find(std::string(candidate) + std::string(names.tokens)) == nullptr) continue;
    prefix = candidate;
    break;
  }
  const LayerFinder find(collector, prefix, spec.norm);
  const LayerFinder find_projection(collector, names.projection_has_prefix ? prefix : "",
                                    spec.norm);
  TextTensors found;
  found.tokens = find.vector(names.tokens, {spec.vocabulary, spec.width});
  // Apple's positions may have a batch dimension.
  const TensorInfo* positions = checkpoint.find(prefix + std::string(names.positions));
  const bool leading_one = positions != nullptr && positions->shape.size() == 3;
  found.positions = find.vector(names.positions, leading_one ? Shape{1, spec.positions, spec.width}
                                                             : Shape{spec.positions, spec.width});
  found.blocks = find_blocks(checkpoint, collector, prefix, names, spec);
  found.final_norm = find.norm(names.final_norm, spec.width);
  found.projection = find_projection.optional_linear(checkpoint, names.projection, spec.width,
                                                     names.projection_bias);
  return found;
}

}  // namespace vecframe::models
