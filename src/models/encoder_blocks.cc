#include "models/encoder_blocks.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace vecframe::models {

using compute::Activation;
using compute::Matrix;

namespace {

// Rows 2 j and 2 j + 1 of every head go to j and j + head / 2. Queries and keys that are permuted
// alike have the same products, and their pairs now lie where rotate_pairs() turns them.
void part_pairs(float* rows, std::int64_t columns, std::int64_t heads, std::int64_t head) {
  std::vector<float> from(static_cast<std::size_t>(head * columns));
  for (std::int64_t h = 0; h < heads; ++h, rows += head * columns) {
    std::copy_n(rows, from.size(), from.begin());
    for (std::int64_t r = 0; r < head; ++r)
      std::copy_n(from.begin() + r * columns, columns,
                  rows + (r / 2 + r % 2 * (head / 2)) * columns);
  }
}

std::unique_ptr<compute::Linear> pack_qkv(const EncoderSpec& spec, const BlockTensors& from,
                                          const WeightPacker& packer) {
  JointLayer qkv = from.qkv.weight != nullptr ? packer.joint({&from.qkv})
                                              : packer.joint({&from.query, &from.key, &from.value});
  if (from.query_bias != nullptr && from.value_bias != nullptr) {
    const tensor::AlignedBuffer<float> query = packer.read(from.query_bias);
    const tensor::AlignedBuffer<float> value = packer.read(from.value_bias);
    qkv.bias = tensor::AlignedBuffer<float>(static_cast<std::size_t>(qkv.out));
    std::fill(qkv.bias.begin(), qkv.bias.end(), 0.0f);
    std::copy(query.begin(), query.end(), qkv.bias.data());
    std::copy(value.begin(), value.end(), qkv.bias.data() + 2 * spec.width);
  }
  if (spec.adjacent_pairs) {
    part_pairs(qkv.weight.data(), qkv.in, 2 * spec.heads, spec.head_width());
    if (!qkv.bias.empty()) part_pairs(qkv.bias.data(), 1, 2 * spec.heads, spec.head_width());
  }
  return packer.pack(std::move(qkv));
}

}  // namespace

EncoderBlocks::EncoderBlocks(const EncoderSpec& spec, const std::vector<BlockTensors>& tensors,
                             const WeightPacker& packer)
    : spec_(spec), precision_(packer.precision()) {
  for (const BlockTensors& from : tensors) {
    EncoderBlock block;
    block.norm1 = packer.norm(from.norm1);
    block.qkv = pack_qkv(spec, from, packer);
    block.attention_norm = packer.norm(from.attention_norm);
    block.output = packer.linear(from.output, from.scale1);
    block.norm2 = packer.norm(from.norm2);
    block.fc1 = from.gate.weight == nullptr ? packer.linear(from.fc1)
                                            : packer.stacked({&from.gate, &from.up});
    block.mlp_norm = packer.norm(from.mlp_norm);
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

Matrix EncoderBlocks::branch(Matrix h) const {
  const bool norm_inside = !blocks_.empty() && blocks_.front().attention_norm.weight != nullptr;
  h.narrow = precision_ == tensor::Precision::kBf16 && !norm_inside && !spec_.post_norm;
  return h;
}

Matrix EncoderBlocks::project_qkv(compute::Stream& stream, const EncoderBlock& block, Matrix x,
                                  Matrix h, float* scratch, bool rotates) const {
  Matrix qkv{scratch, x.rows, 3 * spec_.width, 3 * spec_.width};
  qkv.narrow = precision_ != tensor::Precision::kFp32 && !rotates;
  if (!spec_.post_norm) normalize(stream, block.norm1, x, h);
  stream.linear(*block.qkv, spec_.post_norm ? x : h, Activation::kNone, {}, qkv);
  return qkv;
}

void EncoderBlocks::apply_mlp(compute::Stream& stream, const EncoderBlock& block, Matrix from,
                              float* scratch, Matrix residual, Matrix to) const {
  const std::int64_t columns = spec_.hidden_width();
  Matrix hidden{scratch, from.rows, columns, columns};
  hidden.narrow = precision_ == tensor::Precision::kBf16 && !spec_.gated_mlp &&
                  block.mlp_norm.weight == nullptr;
  stream.linear(*block.fc1, from, spec_.gated_mlp ? Activation::kNone : spec_.activation, {},
                hidden);
  if (spec_.gated_mlp) {
    const Matrix gated{hidden.data, hidden.rows, spec_.mlp_width, hidden.stride};
    stream.gate(spec_.activation, hidden, gated);
    hidden = gated;
  }
  if (block.mlp_norm.weight) normalize(stream, block.mlp_norm, hidden, hidden);
  stream.linear(*block.fc2, hidden, Activation::kNone, residual, to);
}

void EncoderBlocks::finish(compute::Stream& stream, const EncoderBlock& block, Matrix x, Matrix h,
                           float* scratch) const {
  if (block.attention_norm.weight) normalize(stream, block.attention_norm, h, h);
  if (!spec_.post_norm) {
    stream.linear(*block.output, h, Activation::kNone, x, x);
    normalize(stream, block.norm2, x, h);
    apply_mlp(stream, block, h, scratch, x, x);
    return;
  }
  const Matrix branch{scratch, x.rows, spec_.width, spec_.width};
  stream.linear(*block.output, h, Activation::kNone, {}, branch);
  normalize(stream, block.norm1, branch, branch);
  stream.add(branch, x);
  apply_mlp(stream, block, x, scratch, {}, h);
  normalize(stream, block.norm2, h, h);
  stream.add(h, x);
}

}  // namespace vecframe::models
