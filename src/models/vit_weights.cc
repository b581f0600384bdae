#include "models/vit_weights.h"

#include <algorithm>
#include <initializer_list>
#include <span>

#include "models/position_embedding.h"

namespace vecframe::models {
namespace {

using tensor::AlignedBuffer;

// Reads tensors of the checkpoint and packs them for the backend.
class Packer {
 public:
  Packer(const Checkpoint& checkpoint, compute::Backend& backend, tensor::Precision precision)
      : checkpoint_(checkpoint), backend_(backend), precision_(precision) {}

  AlignedBuffer<float> read(const TensorInfo* tensor) const {
    return tensor == nullptr ? AlignedBuffer<float>() : checkpoint_.read(*tensor);
  }

  Norm norm(const Affine& layer) const {
    if (layer.weight == nullptr) return {};
    return {upload(read(layer.weight)), layer.bias == nullptr ? nullptr : upload(read(layer.bias))};
  }

  // `scale`, if not null, multiplies the outputs: it goes into the rows and the bias.
  std::unique_ptr<compute::Linear> linear(const Affine& layer,
                                          const TensorInfo* scale = nullptr) const {
    if (layer.weight == nullptr) return nullptr;
    AlignedBuffer<float> weight = read(layer.weight), bias = read(layer.bias);
    const std::int64_t out = layer.weight->shape[0], in = layer.weight->shape[1];
    if (scale != nullptr) {
      const AlignedBuffer<float> factors = read(scale);
      for (std::int64_t o = 0; o < out; ++o) {
        const float factor = factors[static_cast<std::size_t>(o)];
        float* row = weight.data() + o * in;
        for (std::int64_t i = 0; i < in; ++i) row[i] *= factor;
        if (!bias.empty()) bias[static_cast<std::size_t>(o)] *= factor;
      }
    }
    return pack(weight, bias, in, out);
  }

  // Layers of the same input as one product: the rows of the first, then of the next.
  std::unique_ptr<compute::Linear> stacked(std::initializer_list<const Affine*> layers) const {
    std::int64_t out = 0;
    for (const Affine* layer : layers) out += layer->weight->shape[0];
    const std::int64_t in = (*layers.begin())->weight->shape[1];
    // A bias that one of them lacks is zero.
    const bool has_bias = std::any_of(layers.begin(), layers.end(),
                                      [](const Affine* l) { return l->bias != nullptr; });
    AlignedBuffer<float> weight(static_cast<std::size_t>(out * in));
    AlignedBuffer<float> bias(has_bias ? static_cast<std::size_t>(out) : 0);
    std::fill(bias.begin(), bias.end(), 0.0f);
    std::int64_t row = 0;
    for (const Affine* layer : layers) {
      const AlignedBuffer<float> w = read(layer->weight), b = read(layer->bias);
      std::copy(w.begin(), w.end(), weight.data() + row * in);
      std::copy(b.begin(), b.end(), bias.data() + row);
      row += layer->weight->shape[0];
    }
    return pack(weight, bias, in, out);
  }

  std::unique_ptr<compute::PatchEmbedding> patch(const Affine& layer) const {
    const AlignedBuffer<float> weight = read(layer.weight), bias = read(layer.bias);
    return backend_.pack(compute::PatchWeights{{weight.data(), weight.size()},
                                               {bias.data(), bias.size()},
                                               layer.weight->shape[2],
                                               layer.weight->shape[0]},
                         precision_);
  }

  Pool pool(const PoolTensors& from) const {
    Pool pool;
    const AlignedBuffer<float> token = read(from.query);
    if (from.in_projection.weight == nullptr) {
      pool.query = upload(token);
      pool.key_value = stacked({&from.key, &from.value});
    } else {
      const auto width = static_cast<std::int64_t>(token.size());
      const std::size_t square = token.size() * token.size();
      const AlignedBuffer<float> weight = read(from.in_projection.weight);
      const AlignedBuffer<float> bias = read(from.in_projection.bias);
      std::vector<float> query(token.size());
      for (std::size_t o = 0; o < query.size(); ++o) {
        double sum = bias[o];
        for (std::size_t i = 0; i < token.size(); ++i)
          sum += double{weight[o * token.size() + i]} * token[i];
        query[o] = static_cast<float>(sum);
      }
      pool.query = upload(query);
      pool.key_value =
          backend_.pack(compute::LinearWeights{{weight.data() + square, 2 * square},
                                               {bias.data() + token.size(), 2 * token.size()},
                                               width,
                                               2 * width},
                        precision_);
    }
    pool.output = linear(from.output);
    pool.norm = norm(from.norm);
    pool.fc1 = linear(from.fc1);
    pool.fc2 = linear(from.fc2);
    return pool;
  }

  std::unique_ptr<compute::Vector> upload(const AlignedBuffer<float>& values) const {
    return backend_.upload({values.data(), values.size()});
  }
  std::unique_ptr<compute::Vector> upload(const std::vector<float>& values) const {
    return backend_.upload(values);
  }

 private:
  std::unique_ptr<compute::Linear> pack(const AlignedBuffer<float>& weight,
                                        const AlignedBuffer<float>& bias, std::int64_t in,
                                        std::int64_t out) const {
    return backend_.pack(
        compute::LinearWeights{{weight.data(), weight.size()}, {bias.data(), bias.size()}, in, out},
        precision_);
  }

  const Checkpoint& checkpoint_;
  compute::Backend& backend_;
  tensor::Precision precision_;
};

// One row a token: zero for registers, which have no position.
std::vector<float> positions_of(const VitSpec& spec, std::span<const float> trained) {
  const Grid grid{spec.image_height / spec.patch, spec.image_width / spec.patch};
  std::vector<float> rows =
      spec.positions == Positions::kSinCos
          ? sine_positions(spec.width, grid)
          : resize_positions(trained, spec.prefix_tokens, spec.width,
                             {spec.trained_height / spec.patch, spec.trained_width / spec.patch},
                             grid, spec.position_resize == PositionResize::kBicubicAntialiased);
  rows.insert(rows.begin() + spec.prefix_tokens * spec.width,
              static_cast<std::size_t>(spec.registers * spec.width), 0.0f);
  return rows;
}

}  // namespace

VitWeights load_vit_weights(const Checkpoint& checkpoint, const VitSpec& spec,
                            const VitTensors& tensors, compute::Backend& backend,
                            tensor::Precision precision) {
  const Packer packer(checkpoint, backend, precision);
  VitWeights weights;
  weights.patch = packer.patch(tensors.patch);

  std::vector<float> prefix;
  for (const TensorInfo* token :
       {tensors.class_token, tensors.distillation_token, tensors.registers}) {
    const AlignedBuffer<float> values = packer.read(token);
    prefix.insert(prefix.end(), values.begin(), values.end());
  }
  if (!prefix.empty()) weights.prefix = packer.upload(prefix);
  if (spec.positions == Positions::kRotary) {
    weights.turns = packer.upload(
        rotary_turns(spec.width / spec.heads, spec.rotary_base,
                     {spec.image_height / spec.patch, spec.image_width / spec.patch}));
  } else {
    const AlignedBuffer<float> positions = packer.read(tensors.positions);
    weights.positions = packer.upload(positions_of(spec, {positions.data(), positions.size()}));
  }
  weights.patch_norm = packer.norm(tensors.patch_norm);
  weights.pre_norm = packer.norm(tensors.pre_norm);
  for (const VitBlockTensors& from : tensors.blocks) {
    VitBlock block;
    block.norm1 = packer.norm(from.norm1);
    block.qkv = from.qkv.weight != nullptr ? packer.linear(from.qkv)
                                           : packer.stacked({&from.query, &from.key, &from.value});
    block.output = packer.linear(from.output, from.scale1);
    block.norm2 = packer.norm(from.norm2);
    block.fc1 = from.gate.weight == nullptr ? packer.linear(from.fc1)
                                            : packer.stacked({&from.gate, &from.up});
    block.fc2 = packer.linear(from.fc2, from.scale2);
    weights.blocks.push_back(std::move(block));
  }
  weights.final_norm = packer.norm(tensors.final_norm);
  if (tensors.pool.query != nullptr) weights.pool = packer.pool(tensors.pool);
  weights.pooler = packer.linear(tensors.pooler);
  weights.projection = packer.linear(tensors.projection);
  return weights;
}

}  // namespace vecframe::models
