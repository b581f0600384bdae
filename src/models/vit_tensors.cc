#include "models/vit_tensors.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace vecframe::models {
namespace {

using Shape = std::vector<std::int64_t>;

std::string join(std::string_view a, std::string_view b, std::string_view c = "") {
  std::string text(a);
  text += b;
  return text += c;
}

// Highest block index in the names, plus one.
std::int64_t count_blocks(const Checkpoint& checkpoint, const std::string& prefix) {
  std::int64_t count = 0;
  for (const std::string& name : checkpoint.names()) {
    if (!name.starts_with(prefix)) continue;
    std::int64_t index = -1;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), index);
    if (index < std::numeric_limits<std::int32_t>::max()) count = std::max(count, index + 1);
  }
  return count;
}

// One block's, or the stem's, names with their prefix.
class Finder {
 public:
  Finder(TensorCollector& collector, std::string prefix, compute::NormKind kind)
      : collector_(collector),
        prefix_(std::move(prefix)),
        norm_bias_(kind == compute::NormKind::kLayerNorm) {}

  const TensorInfo* vector(std::string_view name, Shape shape) const {
    return name.empty() ? nullptr : collector_.require(join(prefix_, name), std::move(shape));
  }
  Affine norm(std::string_view name, std::int64_t width) const {
    return affine(name, {width}, width, norm_bias_);
  }
  Affine linear(std::string_view name, std::int64_t out, std::int64_t in, bool has_bias) const {
    return affine(name, {out, in}, out, has_bias);
  }
  Affine affine(std::string_view name, Shape shape, std::int64_t out, bool has_bias,
                std::string_view separator = ".") const {
    if (name.empty()) return {};
    const std::string stem = join(prefix_, name, separator);
    Affine layer;
    layer.weight = collector_.require(stem + "weight", std::move(shape));
    if (has_bias) layer.bias = collector_.require(stem + "bias", {out});
    return layer;
  }

 private:
  TensorCollector& collector_;
  std::string prefix_;
  bool norm_bias_;
};

VitBlockTensors find_block(const Finder& find, const VitNames& names, const VitSpec& spec) {
  const std::int64_t width = spec.width;
  VitBlockTensors block;
  block.norm1 = find.norm(names.norm1, width);
  block.qkv = find.linear(names.qkv, 3 * width, width, spec.query_bias);
  block.query = find.linear(names.query, width, width, spec.query_bias);
  block.key = find.linear(names.key, width, width, spec.key_bias);
  block.value = find.linear(names.value, width, width, spec.value_bias);
  block.output = find.linear(names.output, width, width, spec.output_bias);
  block.scale1 = find.vector(names.scale1, {width});
  block.norm2 = find.norm(names.norm2, width);
  block.fc1 = find.linear(names.fc1, spec.hidden_width(), width, spec.mlp_bias);
  block.gate = find.linear(names.gate, spec.mlp_width, width, spec.mlp_bias);
  block.up = find.linear(names.up, spec.mlp_width, width, spec.mlp_bias);
  block.fc2 = find.linear(names.fc2, width, spec.mlp_width, spec.mlp_bias);
  block.scale2 = find.vector(names.scale2, {width});
  return block;
}

PoolTensors find_pool(const Finder& find, const PoolNames& names, const VitSpec& spec) {
  const std::int64_t width = spec.width;
  PoolTensors pool;
  pool.query = find.vector(names.query, {1, 1, width});
  pool.in_projection =
      find.affine(names.in_projection, {3 * width, width}, 3 * width, /*has_bias=*/true, "_");
  pool.key = find.linear(names.key, width, width, spec.key_bias);
  pool.value = find.linear(names.value, width, width, spec.value_bias);
  pool.output = find.linear(names.output, width, width, /*has_bias=*/true);
  pool.norm = find.norm(names.norm, width);
  pool.fc1 = find.linear(names.fc1, spec.mlp_width, width, /*has_bias=*/true);
  pool.fc2 = find.linear(names.fc2, width, spec.mlp_width, /*has_bias=*/true);
  return pool;
}

// Layers of which the checkpoint, not the config, says whether they are there and how wide.
Affine find_optional(const Checkpoint& checkpoint, TensorCollector& collector,
                     const std::string& name, std::int64_t width, bool has_bias) {
  const TensorInfo* weight = checkpoint.find(name + ".weight");
  if (weight == nullptr) return {};
  const std::int64_t out = weight->shape.empty() ? 0 : weight->shape[0];
  Affine layer;
  layer.weight = collector.require(name + ".weight", {out, width});
  if (has_bias) layer.bias = collector.require(name + ".bias", {out});
  return layer;
}

}  // namespace

std::int64_t VitTensors::dimension() const {
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
  const std::string block_prefix = join(prefix, names.block);
  const std::int64_t blocks = count_blocks(checkpoint, block_prefix);
  if (blocks != 0 && blocks != spec.layers)
    throw RequestError(
        fmt::format("model: '{}': the weights have {} blocks '{}', but config.json means {}",
                    checkpoint.model(), blocks, block_prefix, spec.layers));

  const std::int64_t width = spec.width;
  const std::int64_t positions = spec.prefix_tokens + spec.trained_patches();
  const Finder find(collector, prefix, spec.norm);
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
  for (std::int64_t i = 0; i < spec.layers; ++i)
    found.blocks.push_back(find_block(
        Finder(collector, fmt::format("{}{}.", block_prefix, i), spec.norm), names, spec));
  found.final_norm = find.norm(names.final_norm, width);
  if (spec.pooling == Pooling::kAttention) found.pool = find_pool(find, names.pool, spec);
  if (!names.pooler.empty())
    found.pooler = find_optional(checkpoint, collector, join(prefix, names.pooler), width, true);
  if (!names.projection.empty())
    found.projection =
        find_optional(checkpoint, collector, std::string(names.projection), width, false);
  return found;
}

}  // namespace vecframe::models
