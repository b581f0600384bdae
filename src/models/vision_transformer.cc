#include "models/vision_transformer.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "models/position_embedding.h"

namespace vecframe::models {
namespace {

using compute::Activation;
using compute::Matrix;
using tensor::AlignedBuffer;

struct Norm {
  std::unique_ptr<compute::Vector> weight, bias;
};

struct Block {
  Norm norm1, norm2;
  std::unique_ptr<compute::Linear> qkv, output, fc1, fc2;
};

struct Weights {
  std::unique_ptr<compute::PatchEmbedding> patch;
  std::unique_ptr<compute::Vector> prefix;     // (prefix_tokens, width)
  std::unique_ptr<compute::Vector> positions;  // (tokens, width), at the picture's grid
  Norm pre_norm;                               // null: none
  std::vector<Block> blocks;
  Norm final_norm;
  std::unique_ptr<compute::Linear> pooler, projection;  // null: none
};

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
    return {upload(read(layer.weight)), upload(read(layer.bias))};
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

  // The three projections as one product: rows of q, then k, then v.
  std::unique_ptr<compute::Linear> qkv(const VitBlockTensors& block) const {
    if (block.qkv.weight != nullptr) return linear(block.qkv);
    const std::int64_t width = block.query.weight->shape[1];
    const auto square = static_cast<std::size_t>(width * width);
    const auto row = static_cast<std::size_t>(width);
    AlignedBuffer<float> weight(3 * square);
    AlignedBuffer<float> bias(block.query.bias == nullptr ? 0 : 3 * row);
    std::size_t third = 0;
    for (const Affine* layer : {&block.query, &block.key, &block.value}) {
      const AlignedBuffer<float> w = read(layer->weight), b = read(layer->bias);
      std::copy(w.begin(), w.end(), weight.data() + third * square);
      std::copy(b.begin(), b.end(), bias.data() + third * row);
      ++third;
    }
    return pack(weight, bias, width, 3 * width);
  }

  std::unique_ptr<compute::PatchEmbedding> patch(const Affine& layer) const {
    const AlignedBuffer<float> weight = read(layer.weight), bias = read(layer.bias);
    return backend_.pack(compute::PatchWeights{{weight.data(), weight.size()},
                                               {bias.data(), bias.size()},
                                               layer.weight->shape[2],
                                               layer.weight->shape[0]},
                         precision_);
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

Weights load_weights(const Checkpoint& checkpoint, const VitSpec& spec, const VitTensors& tensors,
                     compute::Backend& backend, tensor::Precision precision) {
  const Packer packer(checkpoint, backend, precision);
  Weights weights;
  weights.patch = packer.patch(tensors.patch);

  std::vector<float> prefix;
  for (const TensorInfo* token : {tensors.class_token, tensors.distillation_token}) {
    const AlignedBuffer<float> values = packer.read(token);
    prefix.insert(prefix.end(), values.begin(), values.end());
  }
  weights.prefix = packer.upload(prefix);
  const AlignedBuffer<float> positions = packer.read(tensors.positions);
  weights.positions = packer.upload(
      resize_positions({positions.data(), positions.size()}, spec.prefix_tokens, spec.width,
                       {spec.trained_height / spec.patch, spec.trained_width / spec.patch},
                       {spec.image_height / spec.patch, spec.image_width / spec.patch}));

  weights.pre_norm = packer.norm(tensors.pre_norm);
  for (const VitBlockTensors& from : tensors.blocks) {
    Block block;
    block.norm1 = packer.norm(from.norm1);
    block.qkv = packer.qkv(from);
    block.output = packer.linear(from.output, from.scale1);
    block.norm2 = packer.norm(from.norm2);
    block.fc1 = packer.linear(from.fc1);
    block.fc2 = packer.linear(from.fc2, from.scale2);
    weights.blocks.push_back(std::move(block));
  }
  weights.final_norm = packer.norm(tensors.final_norm);
  weights.pooler = packer.linear(tensors.pooler);
  weights.projection = packer.linear(tensors.projection);
  return weights;
}

class VisionTransformer final : public ImageModel {
 public:
  VisionTransformer(const VitSpec& spec, std::int64_t dimension, Weights weights)
      : spec_(spec), dimension_(dimension), weights_(std::move(weights)) {}

  std::int64_t activation_values(std::int64_t batch) const override {
    const std::int64_t rows = batch * spec_.tokens();
    return rows * (2 * spec_.width + wide()) + batch * (2 * spec_.width + 2 * dimension_) +
           kRanges * kPadding;
  }

  void embed(compute::Stream& stream, const compute::PixelBatch& pixels,
             std::span<float> out) const override {
    stream.reset();
    const std::int64_t batch = pixels.batch, tokens = spec_.tokens();
    const std::int64_t rows = batch * tokens, width = spec_.width;
    const auto matrix = [&](std::int64_t r, std::int64_t c) {
      return Matrix{stream.allocate(r * c), r, c, c};
    };
    const Matrix x = matrix(rows, width);             // residual stream, (batch * tokens, width)
    const Matrix h = matrix(rows, width);             // inputs of a product
    float* scratch = stream.allocate(rows * wide());  // q, k, v; then the hidden layer of the MLP

    stream.embed_patches(*weights_.patch, pixels, tokens, spec_.prefix_tokens, x);
    if (spec_.prefix_tokens > 0) stream.broadcast_rows(*weights_.prefix, batch, tokens, 0, x);
    stream.add_rows(*weights_.positions, batch, x);
    if (weights_.pre_norm.weight) normalize(stream, weights_.pre_norm, x, x);

    // Only the class token is read after the last attention, so the rest of that block is computed
    // for it alone.
    const Matrix pooled = matrix(batch, width), pooled_h = matrix(batch, width);
    for (const Block& block : weights_.blocks) {
      const Matrix qkv{scratch, rows, 3 * width, 3 * width};
      normalize(stream, block.norm1, x, h);
      stream.linear(*block.qkv, h, Activation::kNone, {}, qkv);
      stream.attention(qkv, batch, spec_.heads, attention_scale(), h);
      if (&block != &weights_.blocks.back()) {
        finish_block(stream, block, x, h, scratch);
      } else {
        stream.gather_rows(x, 0, tokens, pooled);
        stream.gather_rows(h, 0, tokens, pooled_h);
        finish_block(stream, block, pooled, pooled_h, scratch);
      }
    }
    normalize(stream, weights_.final_norm, pooled, pooled_h);
    Matrix embedding = pooled_h;
    if (weights_.pooler) {
      const Matrix y = matrix(batch, dimension_);  // a pooler has no projection after it
      stream.linear(*weights_.pooler, embedding, Activation::kTanh, {}, y);
      embedding = y;
    }
    if (weights_.projection) {
      const Matrix y = matrix(batch, dimension_);
      stream.linear(*weights_.projection, embedding, Activation::kNone, {}, y);
      embedding = y;
    }
    stream.download(embedding, out);
    stream.reset();
  }

 private:
  // Ranges that embed() allocates, and the values that rounding each to a cache line may add.
  static constexpr std::int64_t kRanges = 7;
  static constexpr std::int64_t kPadding = tensor::kAlignment / sizeof(float);

  std::int64_t wide() const { return std::max(3 * spec_.width, spec_.mlp_width); }
  float attention_scale() const {
    return 1.0f / std::sqrt(static_cast<float>(spec_.width / spec_.heads));
  }

  void normalize(compute::Stream& stream, const Norm& norm, Matrix from, Matrix to) const {
    stream.normalize(compute::NormKind::kLayerNorm, *norm.weight, norm.bias.get(), spec_.epsilon,
                     from, to);
  }

  // x += output(h); x += fc2(act(fc1(norm2(x)))). `h` is overwritten.
  void finish_block(compute::Stream& stream, const Block& block, Matrix x, Matrix h,
                    float* scratch) const {
    stream.linear(*block.output, h, Activation::kNone, x, x);
    normalize(stream, block.norm2, x, h);
    const Matrix hidden{scratch, x.rows, spec_.mlp_width, spec_.mlp_width};
    stream.linear(*block.fc1, h, spec_.activation, {}, hidden);
    stream.linear(*block.fc2, hidden, Activation::kNone, x, x);
  }

  VitSpec spec_;
  std::int64_t dimension_;
  Weights weights_;
};

}  // namespace

double vit_flops(const VitSpec& spec, const VitTensors& tensors) {
  const auto real = [](std::int64_t n) { return static_cast<double>(n); };
  const double width = real(spec.width), tokens = real(spec.tokens());
  double products = real(spec.patches()) * 3 * real(spec.patch * spec.patch) * width;
  products += real(spec.layers) * (4 * tokens * width * width + 2 * tokens * tokens * width +
                                   2 * tokens * width * real(spec.mlp_width));
  for (const Affine* layer : {&tensors.pooler, &tensors.projection})
    if (layer->weight != nullptr) products += real(layer->weight->count());
  return 2 * products;
}

std::unique_ptr<ImageModel> load_vision_transformer(const Checkpoint& checkpoint,
                                                    const VitSpec& spec, const VitTensors& tensors,
                                                    compute::Backend& backend,
                                                    tensor::Precision precision) {
  return std::make_unique<VisionTransformer>(
      spec, tensors.dimension(), load_weights(checkpoint, spec, tensors, backend, precision));
}

}  // namespace vecframe::models
