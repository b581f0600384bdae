#include "models/encoder_blocks.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vecframe::models {

using compute::Activation;
using compute::Matrix;

EncoderBlocks::EncoderBlocks(const EncoderSpec& spec, const std::vector<BlockTensors>& tensors,
                             const WeightPacker& packer)
    : spec_(spec) {
  for (const BlockTensors& from : tensors) {
    EncoderBlock block;
    block.norm1 = packer.norm(from.norm1);
    block.qkv = from.qkv.weight != nullptr ? packer.linear(from.qkv)
                                           : packer.stacked({&from.query, &from.key, &from.value});
    block.output = packer.linear(from.output, from.scale1);
    block.norm2 = packer.norm(from.norm2);
    block.fc1 = from.gate.weight == nullptr ? packer.linear(from.fc1)
                                            : packer.stacked({&from.gate, &from.up});
    block.fc2 = packer.linear(from.fc2, from.scale2);
    blocks_.push_back(std::move(block));
  }
}

std::int64_t EncoderBlocks::scratch_columns() const {
  return std::max(3 * spec_.width, spec_.hidden_width());
}

float EncoderBlocks::attention_scale() const {
  return 1.0f / std::sqrt(static_cast<float>(spec_.head_width()));
}

void EncoderBlocks::normalize(compute::Stream& stream, const Norm& norm, Matrix from,
                              Matrix to) const {
  stream.normalize(spec_.norm, *norm.weight, norm.bias.get(), spec_.epsilon, from, to);
}

Matrix EncoderBlocks::project_qkv(compute::Stream& stream, const EncoderBlock& block, Matrix x,
                                  Matrix h, float* scratch) const {
  const Matrix qkv{scratch, x.rows, 3 * spec_.width, 3 * spec_.width};
  normalize(stream, block.norm1, x, h);
  stream.linear(*block.qkv, h, Activation::kNone, {}, qkv);
  return qkv;
}

void EncoderBlocks::finish(compute::Stream& stream, const EncoderBlock& block, Matrix x, Matrix h,
                           float* scratch) const {
  stream.linear(*block.output, h, Activation::kNone, x, x);
  normalize(stream, block.norm2, x, h);
  const std::int64_t columns = spec_.hidden_width();
  Matrix hidden{scratch, x.rows, columns, columns};
  stream.linear(*block.fc1, h, spec_.gated_mlp ? Activation::kNone : spec_.activation, {}, hidden);
  if (spec_.gated_mlp) {
    const Matrix gated{hidden.data, hidden.rows, spec_.mlp_width, hidden.stride};
    stream.gate(spec_.activation, hidden, gated);
    hidden = gated;
  }
  stream.linear(*block.fc2, hidden, Activation::kNone, x, x);
}

}  // namespace vecframe::models
