#include "models/vit_tensors.h"

#include <string>

namespace vecframe::models {
namespace {

using Shape = std::vector<std::int64_t>;

std::string join(std::string_view a, std::string_view b, std::string_view c = "") {
  std::string text(a);
  text += b;
  return text += c;
}

}  // namespace

std::int64_t VitTensors::dimension() const {
  if (projection_matrix != nullptr) return projection_matrix->shape[1];
  if (projection.weight != nullptr) return projection.weight->shape[0];
  if (pooler.weight != nullptr) return pooler.weight->shape[0];
  return final_norm.weight != nullptr ? final_norm.weight->shape[0] : 0;
}

VitNames matching_names(const Checkpoint& checkpoint, const std::vector<VitNames>& tables) {
  VitNames chosen = tables.front();
  chosen.prefixes.resize(1);
  for (const VitNames& names : tables) {
    for (std::string_view prefix : names.prefixes) {
      if (checkpoint.find(join(prefix, names.patch, ".weight")) == nullptr ||
          !checkpoint.has_prefix(join(prefix, names.block)))
        continue;
      chosen = names;
      chosen.prefixes = {prefix};
      return chosen;
    }
  }
  return chosen;
}

VitTensors find_tensors(const Checkpoint& checkpoint, TensorCollector& collector,
                        const VitNames& names, const VitSpec& spec) {
  const std::string prefix(names.prefixes.front());
  const std::int64_t width = spec.width;
  const std::int64_t positions = spec.prefix_tokens + spec.trained_patches();
  const LayerFinder find(collector, prefix, spec.norm);
  VitTensors found;
  found.class_token =
      find.vector(names.class_token, names.leading_one ? Shape{1, 1, width} : Shape{width});
  found.distillation_token = find.vector(names.distillation_token, {1, 1, width});
  // None at all is stored as a tensor without values.
  if (!names.registers.empty() && spec.registers == 0)
    collector.find(join(prefix, names.registers), {1, 0, width});
  else
    found.registers = find.vector(names.registers, {1, spec.registers, width});
  if (spec.positions == Positions::kLearned)
    found.positions = find.vector(
        names.positions, names.leading_one ? Shape{1, positions, width} : Shape{positions, width});
  found.patch =
      find.affine(names.patch, {width, 3, spec.patch, spec.patch}, width, names.patch_bias);
  found.patch_norm = find.norm(names.patch_norm, width);
  found.pre_norm = find.norm(names.pre_norm, width);
  found.blocks = find_blocks(checkpoint, collector, prefix, names, spec);
  const std::vector<std::int64_t> distances{
      (2 * (spec.trained_height / spec.patch) - 1) * (2 * (spec.trained_width / spec.patch) - 1) +
          3,
      spec.heads};
  if (spec.shared_distances)
    found.shared_distances = find.vector(names.shared_distances, distances);
  if (spec.block_distances)
    for (std::int64_t i = 0; i < spec.layers; ++i)
      found.block_distances.push_back(find.vector(
          join(names.block, std::to_string(i) + ".", names.block_distances), distances));
  found.final_norm = find.norm(names.final_norm, width);
  if (spec.pooling == Pooling::kAttention) found.pool = find_pool(find, names.pool, spec);
  found.pooler = find.optional_linear(checkpoint, names.pooler, width, /*has_bias=*/true);
  found.projection =
      LayerFinder(collector, "", spec.norm)
          .optional_linear(checkpoint, names.projection, width, names.projection_bias);
  if (!names.projection_matrix.empty()) {
    const std::string name(names.projection_matrix);
    const TensorInfo* there = checkpoint.find(name);
    found.projection_matrix = collector.require(
        name, {width, there != nullptr && there->shape.size() == 2 ? there->shape[1] : 0});
  }
  return found;
}

}  // namespace vecframe::models
