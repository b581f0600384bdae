#include "models/encoder_tensors.h"

#include <fmt/core.h>
#include <vecframe/error.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>

namespace vecframe::models {
namespace {

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

BlockTensors find_block(const LayerFinder& find, const BlockNames& names, const EncoderSpec& spec) {
  const std::int64_t width = spec.width;
  BlockTensors block;
  block.norm1 = find.norm(names.norm1, width);
  const bool apart = !names.query_bias.empty();
  block.qkv = names.in_projection.empty()
                  ? find.linear(names.qkv, 3 * width, width, !apart && spec.query_bias)
                  : find.affine(names.in_projection, {3 * width, width}, 3 * width,
                                /*has_bias=*/true, "_");
  block.query = find.linear(names.query, width, width, !apart && spec.query_bias);
  block.key = find.linear(names.key, width, width, !apart && spec.key_bias);
  block.value = find.linear(names.value, width, width, !apart && spec.value_bias);
  block.query_bias = find.vector(names.query_bias, {width});
  block.value_bias = find.vector(names.value_bias, {width});
  block.attention_norm = find.norm(names.attention_norm, width);
  block.output = find.linear(names.output, width, width, spec.output_bias);
  block.scale1 = find.vector(names.scale1, {width});
  block.norm2 = find.norm(names.norm2, width);
  block.fc1 = find.linear(names.fc1, spec.hidden_width(), width, spec.mlp_bias);
  block.gate = find.linear(names.gate, spec.mlp_width, width, spec.mlp_bias);
  block.up = find.linear(names.up, spec.mlp_width, width, spec.mlp_bias);
  block.mlp_norm = find.norm(names.mlp_norm, spec.mlp_width);
  block.fc2 = find.linear(names.fc2, width, spec.mlp_width, spec.mlp_bias);
  block.scale2 = find.vector(names.scale2, {width});
  return block;
}

}  // namespace

const TensorInfo* LayerFinder::vector(std::string_view name,
                                      std::vector<std::int64_t> shape) const {
  if (name.empty()) return nullptr;
  return collector_.require(prefix_ + std::string(name), std::move(shape));
}

Affine LayerFinder::norm(std::string_view name, std::int64_t width) const {
  return affine(name, {width}, width, norm_bias_);
}

Affine LayerFinder::linear(std::string_view name, std::int64_t out, std::int64_t in,
                           bool has_bias) const {
  return affine(name, {out, in}, out, has_bias);
}

Affine LayerFinder::affine(std::string_view name, std::vector<std::int64_t> shape, std::int64_t out,
                           bool has_bias, std::string_view separator) const {
  if (name.empty()) return {};
  const std::string stem = prefix_ + std::string(name) + std::string(separator);
  Affine layer;
  layer.weight = collector_.require(stem + "weight", std::move(shape));
  if (has_bias) layer.bias = collector_.require(stem + "bias", {out});
  return layer;
}

Affine LayerFinder::optional_linear(const Checkpoint& checkpoint, std::string_view name,
                                    std::int64_t in, bool has_bias) const {
  if (name.empty()) return {};
  const TensorInfo* weight = checkpoint.find(prefix_ + std::string(name) + ".weight");
  if (weight == nullptr) return {};
  return linear(name, weight->shape.empty() ? 0 : weight->shape[0], in, has_bias);
}

std::vector<BlockTensors> find_blocks(const Checkpoint& checkpoint, TensorCollector& collector,
                                      const std::string& prefix, const BlockNames& names,
                                      const EncoderSpec& spec) {
  const std::string block_prefix = prefix + std::string(names.block);
  const std::int64_t there = count_blocks(checkpoint, block_prefix);
  if (there != 0 && there != spec.layers)
    throw RequestError(fmt::format("model: '{}': the weights have {} blocks '{}', but {} means {}",
                                   checkpoint.model(), there, block_prefix,
                                   checkpoint.config_name(), spec.layers));
  std::vector<BlockTensors> blocks;
  for (std::int64_t i = 0; i < spec.layers; ++i)
    blocks.push_back(find_block(
        LayerFinder(collector, fmt::format("{}{}.", block_prefix, i), spec.norm), names, spec));
  return blocks;
}

}  // namespace vecframe::models
