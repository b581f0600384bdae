#include "models/weight_packer.h"

#include <algorithm>
#include <utility>

namespace vecframe::models {
namespace {

using tensor::AlignedBuffer;

std::span<const float> values_of(const AlignedBuffer<float>& buffer) {
  return {buffer.data(), buffer.size()};
}

}  // namespace

AlignedBuffer<float> WeightPacker::read(const TensorInfo* tensor) const {
  return tensor == nullptr ? AlignedBuffer<float>() : checkpoint_.read(*tensor);
}

Norm WeightPacker::norm(const Affine& layer) const {
  if (layer.weight == nullptr) return {};
  Norm norm;
  norm.weight = upload(checkpoint_.view(layer.weight).span());
  if (layer.bias != nullptr) norm.bias = upload(checkpoint_.view(layer.bias).span());
  return norm;
}

std::unique_ptr<compute::Linear> WeightPacker::linear(const Affine& layer,
                                                      const TensorInfo* scale) const {
  if (layer.weight == nullptr) return nullptr;
  const std::int64_t out = layer.weight->shape[0], in = layer.weight->shape[1];
  if (scale == nullptr) {
    const TensorValues weight = checkpoint_.view(layer.weight), bias = checkpoint_.view(layer.bias);
    return pack({weight.span(), bias.span(), in, out});
  }
  AlignedBuffer<float> weight = read(layer.weight), bias = read(layer.bias);
  const AlignedBuffer<float> factors = read(scale);
  for (std::int64_t o = 0; o < out; ++o) {
    const float factor = factors[static_cast<std::size_t>(o)];
    float* row = weight.data() + o * in;
    for (std::int64_t i = 0; i < in; ++i) row[i] *= factor;
    if (!bias.empty()) bias[static_cast<std::size_t>(o)] *= factor;
  }
  return pack({values_of(weight), values_of(bias), in, out});
}

JointLayer WeightPacker::joint(std::initializer_list<const Affine*> layers) const {
  std::int64_t out = 0;
  for (const Affine* layer : layers) out += layer->weight->shape[0];
  const std::int64_t in = (*layers.begin())->weight->shape[1];
  const bool has_bias =
      std::any_of(layers.begin(), layers.end(), [](const Affine* l) { return l->bias != nullptr; });
  const auto count = static_cast<std::size_t>(out * in);
  AlignedBuffer<float> weight =
      spare_.size() == count ? std::exchange(spare_, {}) : AlignedBuffer<float>(count);
  AlignedBuffer<float> bias(has_bias ? static_cast<std::size_t>(out) : 0);
  std::fill(bias.begin(), bias.end(), 0.0f);
  std::int64_t row = 0;
  for (const Affine* layer : layers) {
    const TensorValues w = checkpoint_.view(layer->weight), b = checkpoint_.view(layer->bias);
    std::copy(w.span().begin(), w.span().end(), weight.data() + row * in);
    std::copy(b.span().begin(), b.span().end(), bias.data() + row);
    row += layer->weight->shape[0];
  }
  return {std::move(weight), std::move(bias), in, out};
}

std::unique_ptr<compute::Linear> WeightPacker::pack(JointLayer layer) const {
  std::unique_ptr<compute::Linear> packed = pack(layer.weights());
  spare_ = std::move(layer.weight);
  return packed;
}

std::unique_ptr<compute::Linear> WeightPacker::transposed(const TensorInfo* matrix) const {
  if (matrix == nullptr) return nullptr;
  const AlignedBuffer<float> stored = read(matrix);
  const std::int64_t in = matrix->shape[0], out = matrix->shape[1];
  AlignedBuffer<float> rows(stored.size());
  for (std::int64_t i = 0; i < in; ++i)
    for (std::int64_t o = 0; o < out; ++o) rows.data()[o * in + i] = stored.data()[i * out + o];
  return pack({values_of(rows), {}, in, out});
}

std::unique_ptr<compute::PatchEmbedding> WeightPacker::patch(const Affine& layer) const {
  const TensorValues weight = checkpoint_.view(layer.weight), bias = checkpoint_.view(layer.bias);
  return backend_.pack(compute::PatchWeights{weight.span(), bias.span(), layer.weight->shape[2],
                                             layer.weight->shape[0]},
                       precision_);
}

std::unique_ptr<compute::PatchEmbedding> WeightPacker::flat_patch(const Affine& layer,
                                                                  std::int64_t patch) const {
  const AlignedBuffer<float> flat = read(layer.weight), bias = read(layer.bias);
  const std::int64_t pixels = patch * patch, out = layer.weight->shape[0];
  AlignedBuffer<float> weight(flat.size());
  for (std::int64_t o = 0; o < out; ++o)
    for (std::int64_t c = 0; c < 3; ++c)
      for (std::int64_t i = 0; i < pixels; ++i)
        weight.data()[(3 * o + c) * pixels + i] = flat.data()[(o * pixels + i) * 3 + c];
  return backend_.pack(compute::PatchWeights{values_of(weight), values_of(bias), patch, out},
                       precision_);
}

}  // namespace vecframe::models
