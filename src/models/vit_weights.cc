#include "models/vit_weights.h"

#include <algorithm>
#include <span>
#include <vector>

#include "models/position_embedding.h"

namespace vecframe::models {
namespace {

using tensor::AlignedBuffer;

// One row a token: zero for registers, which have no position.
std::vector<float> positions_of(const VitSpec& spec, std::span<const float> trained) {
  const Grid grid{spec.image_height / spec.patch, spec.image_width / spec.patch};
  std::vector<float> rows =
      spec.positions == Positions::kSinCos
          ? sine_positions(spec.width, grid)
          : resize_positions(trained, spec.prefix_tokens, spec.width,
                             {spec.trained_height / spec.patch, spec.trained_width / spec.patch},
                             grid,
                             spec.position_resize == PositionResize::kBicubicAntialiased
                                 ? PositionFilter::kBicubicAntialiased
                                 : PositionFilter::kBicubic);
  rows.insert(rows.begin() + spec.prefix_tokens * spec.width,
              static_cast<std::size_t>(spec.registers * spec.width), 0.0f);
  return rows;
}

// The biases by distance of each block, or, if all have the same, of one.
std::vector<std::unique_ptr<compute::Vector>> pack_distances(const VitSpec& spec,
                                                             const VitTensors& tensors, Grid grid,
                                                             const WeightPacker& packer) {
  const Grid trained{spec.trained_height / spec.patch, spec.trained_width / spec.patch};
  const auto add = [&](const TensorInfo* tensor, std::vector<float>& sum) {
    const AlignedBuffer<float> values = packer.read(tensor);
    sum.resize(std::max(sum.size(), values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) sum[i] += values[i];
  };
  std::vector<const TensorInfo*> own = tensors.block_distances;
  if (own.empty() && tensors.shared_distances != nullptr) own.push_back(nullptr);
  std::vector<std::unique_ptr<compute::Vector>> all;
  for (const TensorInfo* tensor : own) {
    std::vector<float> sum;
    add(tensors.shared_distances, sum);
    add(tensor, sum);
    all.push_back(packer.upload(distance_table(sum, spec.heads, trained, grid)));
  }
  return all;
}

}  // namespace

VitWeights load_vit_weights(const Checkpoint& checkpoint, const VitSpec& spec,
                            const VitTensors& tensors, compute::Backend& backend,
                            tensor::Precision precision) {
  const WeightPacker packer(checkpoint, backend, precision);
  VitWeights weights;
  weights.patch = packer.patch(tensors.patch);

  std::vector<float> prefix;
  for (const TensorInfo* token :
       {tensors.class_token, tensors.distillation_token, tensors.registers}) {
    const AlignedBuffer<float> values = packer.read(token);
    prefix.insert(prefix.end(), values.begin(), values.end());
  }
  if (!prefix.empty()) weights.prefix = packer.upload(prefix);
  const Grid grid{spec.image_height / spec.patch, spec.image_width / spec.patch};
  if (spec.rotary == Rotary::kCentred)
    weights.turns = packer.upload(centred_turns(spec.head_width(), spec.rotary_base, grid));
  if (spec.rotary == Rotary::kScaled)
    weights.turns =
        packer.upload(scaled_turns(spec.head_width(), spec.rotary_base, spec.rotary_grid, grid));
  if (spec.positions != Positions::kNone) {
    const AlignedBuffer<float> positions = packer.read(tensors.positions);
    weights.positions = packer.upload(positions_of(spec, {positions.data(), positions.size()}));
  }
  weights.distances = pack_distances(spec, tensors, grid, packer);
  weights.patch_norm = packer.norm(tensors.patch_norm);
  weights.pre_norm = packer.norm(tensors.pre_norm);
  weights.blocks = std::make_unique<EncoderBlocks>(spec, tensors.blocks, packer);
  weights.final_norm = packer.norm(tensors.final_norm);
  if (tensors.pool.query != nullptr)
    weights.pool = std::make_unique<AttentionPool>(spec, tensors.pool, packer);
  weights.pooler = packer.linear(tensors.pooler);
  weights.projection = tensors.projection_matrix != nullptr
                           ? packer.transposed(tensors.projection_matrix)
                           : packer.linear(tensors.projection);
  return weights;
}

}  // namespace vecframe::models
