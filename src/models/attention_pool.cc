#include "models/attention_pool.h"

#include <vector>

namespace vecframe::models {

using compute::Activation;
using compute::Matrix;
using tensor::AlignedBuffer;

namespace {

// The token through the first rows of a layer; `bias` may be empty.
std::vector<float> project(const AlignedBuffer<float>& token, const AlignedBuffer<float>& weight,
                           const AlignedBuffer<float>& bias) {
  std::vector<float> query(token.size());
  for (std::size_t o = 0; o < query.size(); ++o) {
    double sum = bias.empty() ? 0 : bias[o];
    for (std::size_t i = 0; i < token.size(); ++i)
      sum += double{weight[o * token.size() + i]} * token[i];
    query[o] = static_cast<float>(sum);
  }
  return query;
}

}  // namespace

double PoolTensors::products(const EncoderSpec& spec, std::int64_t tokens) const {
  if (query == nullptr) return 0;
  const auto width = static_cast<double>(spec.width), t = static_cast<double>(tokens);
  double products = 2 * t * width * width + 2 * t * width;  // keys and values, and with them
  if (in_projection.weight != nullptr || query_projection.weight != nullptr)
    products += width * width;  // of the query
  for (const Affine* layer : {&output, &fc1, &fc2})
    if (layer->weight != nullptr) products += static_cast<double>(layer->weight->count());
  return products;
}

PoolTensors find_pool(const LayerFinder& find, const PoolNames& names, const EncoderSpec& spec) {
  const std::int64_t width = spec.width;
  PoolTensors pool;
  pool.query = find.vector(names.query, {1, 1, width});
  pool.in_projection =
      find.affine(names.in_projection, {3 * width, width}, 3 * width, /*has_bias=*/true, "_");
  pool.query_projection = find.linear(names.query_projection, width, width, spec.query_bias);
  pool.key_value = find.linear(names.key_value, 2 * width, width, spec.value_bias);
  pool.key = find.linear(names.key, width, width, spec.key_bias);
  pool.value = find.linear(names.value, width, width, spec.value_bias);
  pool.output = find.linear(names.output, width, width, /*has_bias=*/true);
  pool.norm = find.norm(names.norm, width);
  pool.fc1 = find.linear(names.fc1, spec.mlp_width, width, /*has_bias=*/true);
  pool.fc2 = find.linear(names.fc2, width, spec.mlp_width, /*has_bias=*/true);
  return pool;
}

AttentionPool::AttentionPool(const EncoderSpec& spec, const PoolTensors& tensors,
                             const WeightPacker& packer)
    : spec_(spec) {
  const AlignedBuffer<float> token = packer.read(tensors.query);
  if (tensors.in_projection.weight != nullptr) {
    const std::size_t square = token.size() * token.size();
    const AlignedBuffer<float> weight = packer.read(tensors.in_projection.weight);
    const AlignedBuffer<float> bias = packer.read(tensors.in_projection.bias);
    query_ = packer.upload(project(token, weight, bias));
    key_value_ = packer.pack({{weight.data() + square, 2 * square},
                              {bias.data() + token.size(), 2 * token.size()},
                              spec.width,
                              2 * spec.width});
  } else {
    key_value_ = tensors.key_value.weight != nullptr
                     ? packer.linear(tensors.key_value)
                     : packer.stacked({&tensors.key, &tensors.value});
    if (tensors.query_projection.weight == nullptr)
      query_ = packer.upload({token.data(), token.size()});
    else
      query_ = packer.upload(project(token, packer.read(tensors.query_projection.weight),
                                     packer.read(tensors.query_projection.bias)));
  }
  output_ = packer.linear(tensors.output);
  norm_ = packer.norm(tensors.norm);
  fc1_ = packer.linear(tensors.fc1);
  fc2_ = packer.linear(tensors.fc2);
}

void AttentionPool::run(compute::Stream& stream, const EncoderBlocks& blocks, std::int64_t batch,
                        Matrix tokens, float* scratch, Matrix z, Matrix y) const {
  const Matrix kv{scratch, tokens.rows, 2 * spec_.width, 2 * spec_.width};
  stream.linear(*key_value_, tokens, Activation::kNone, {}, kv);
  stream.pool_attention(*query_, kv, batch, spec_.heads, blocks.attention_scale(), z);
  stream.linear(*output_, z, Activation::kNone, {}, y);
  if (!fc1_) return;
  blocks.normalize(stream, norm_, y, z);
  const Matrix hidden{scratch, batch, spec_.mlp_width, spec_.mlp_width};
  stream.linear(*fc1_, z, spec_.activation, {}, hidden);
  stream.linear(*fc2_, hidden, Activation::kNone, y, y);
}

}  // namespace vecframe::models
