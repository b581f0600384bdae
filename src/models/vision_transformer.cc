#include "models/vision_transformer.h"

#include <algorithm>
#include <cmath>

#include "models/vit_weights.h"

namespace vecframe::models {
namespace {

using compute::Activation;
using compute::Matrix;

class VisionTransformer final : public ImageModel {
 public:
  VisionTransformer(const VitSpec& spec, std::int64_t dimension, VitWeights weights)
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

    const std::int64_t first_patch = spec_.prefix_tokens + spec_.registers;
    stream.embed_patches(*weights_.patch, pixels, tokens, first_patch, x);
    if (weights_.patch_norm.weight) normalize(stream, weights_.patch_norm, x, x);
    if (weights_.prefix) stream.broadcast_rows(*weights_.prefix, batch, tokens, 0, x);
    if (weights_.positions) stream.add_rows(*weights_.positions, batch, x);
    if (weights_.pre_norm.weight) normalize(stream, weights_.pre_norm, x, x);

    // If only the class token is read after the last attention, the rest of that block is computed
    // for it alone.
    const bool class_token = spec_.pooling == Pooling::kClassToken;
    const Matrix pooled = matrix(batch, width), pooled_h = matrix(batch, width);
    for (const VitBlock& block : weights_.blocks) {
      const Matrix qkv{scratch, rows, 3 * width, 3 * width};
      normalize(stream, block.norm1, x, h);
      stream.linear(*block.qkv, h, Activation::kNone, {}, qkv);
      if (weights_.turns) {
        const Matrix queries_and_keys{scratch, rows, 2 * width, qkv.stride};
        stream.rotate_pairs(*weights_.turns, batch, 2 * spec_.heads, first_patch, queries_and_keys);
      }
      stream.attention(qkv, batch, spec_.heads, attention_scale(), h);
      if (!class_token || &block != &weights_.blocks.back()) {
        finish_block(stream, block, x, h, scratch);
      } else {
        stream.gather_rows(x, 0, tokens, pooled);
        stream.gather_rows(h, 0, tokens, pooled_h);
        finish_block(stream, block, pooled, pooled_h, scratch);
      }
    }
    if (class_token) {
      normalize(stream, weights_.final_norm, pooled, pooled_h);
    } else {
      normalize(stream, weights_.final_norm, x, h);
      if (spec_.pooling == Pooling::kMean) {
        stream.mean_rows(h, batch, first_patch, pooled_h);
      } else {
        attention_pool(stream, batch, h, scratch, pooled, pooled_h);
      }
    }
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

  std::int64_t wide() const { return std::max(3 * spec_.width, spec_.hidden_width()); }
  float attention_scale() const {
    return 1.0f / std::sqrt(static_cast<float>(spec_.width / spec_.heads));
  }

  void normalize(compute::Stream& stream, const Norm& norm, Matrix from, Matrix to) const {
    stream.normalize(spec_.norm, *norm.weight, norm.bias.get(), spec_.epsilon, from, to);
  }

  // x += output(h); x += fc2(act(fc1(norm2(x)))). `h` is overwritten.
  void finish_block(compute::Stream& stream, const VitBlock& block, Matrix x, Matrix h,
                    float* scratch) const {
    stream.linear(*block.output, h, Activation::kNone, x, x);
    normalize(stream, block.norm2, x, h);
    const std::int64_t columns = spec_.hidden_width();
    Matrix hidden{scratch, x.rows, columns, columns};
    stream.linear(*block.fc1, h, spec_.gated_mlp ? Activation::kNone : spec_.activation, {},
                  hidden);
    if (spec_.gated_mlp) {
      const Matrix gated{hidden.data, hidden.rows, spec_.mlp_width, hidden.stride};
      stream.gate(spec_.activation, hidden, gated);
      hidden = gated;
    }
    stream.linear(*block.fc2, hidden, Activation::kNone, x, x);
  }

  // Pools the normed tokens of each picture into a row of `y`; `z` is overwritten.
  void attention_pool(compute::Stream& stream, std::int64_t batch, Matrix tokens, float* scratch,
                      Matrix z, Matrix y) const {
    const Pool& pool = weights_.pool;
    const Matrix kv{scratch, tokens.rows, 2 * spec_.width, 2 * spec_.width};
    stream.linear(*pool.key_value, tokens, Activation::kNone, {}, kv);
    stream.pool_attention(*pool.query, kv, batch, spec_.heads, attention_scale(), z);
    stream.linear(*pool.output, z, Activation::kNone, {}, y);
    if (!pool.fc1) return;
    normalize(stream, pool.norm, y, z);
    const Matrix hidden{scratch, batch, spec_.mlp_width, spec_.mlp_width};
    stream.linear(*pool.fc1, z, spec_.activation, {}, hidden);
    stream.linear(*pool.fc2, hidden, Activation::kNone, y, y);
  }

  VitSpec spec_;
  std::int64_t dimension_;
  VitWeights weights_;
};

}  // namespace

double vit_flops(const VitSpec& spec, const VitTensors& tensors) {
  const auto real = [](std::int64_t n) { return static_cast<double>(n); };
  const double width = real(spec.width), tokens = real(spec.tokens());
  double products = real(spec.patches()) * 3 * real(spec.patch * spec.patch) * width;
  products += real(spec.layers) * (4 * tokens * width * width + 2 * tokens * tokens * width +
                                   tokens * width * real(spec.hidden_width() + spec.mlp_width));
  if (spec.pooling == Pooling::kAttention)  // keys and values of all tokens, and their products
    products += 2 * tokens * width * width + 2 * tokens * width;
  if (tensors.pool.in_projection.weight != nullptr) products += width * width;  // of the query
  for (const Affine* layer : {&tensors.pool.output, &tensors.pool.fc1, &tensors.pool.fc2,
                              &tensors.pooler, &tensors.projection})
    if (layer->weight != nullptr) products += real(layer->weight->count());
  return 2 * products;
}

std::unique_ptr<ImageModel> load_vision_transformer(const Checkpoint& checkpoint,
                                                    const VitSpec& spec, const VitTensors& tensors,
                                                    compute::Backend& backend,
                                                    tensor::Precision precision) {
  return std::make_unique<VisionTransformer>(
      spec, tensors.dimension(), load_vit_weights(checkpoint, spec, tensors, backend, precision));
}

}  // namespace vecframe::models
