#include "models/vision_transformer.h"

#include <cstddef>
#include <utility>

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
    return rows * (2 * spec_.width + weights_.blocks->scratch_columns()) +
           batch * (2 * spec_.width + 2 * dimension_) + kRanges * kPadding;
  }

  void embed(compute::Stream& stream, const compute::PixelBatch& pixels,
             std::span<float> out) const override {
    stream.reset();
    const std::int64_t batch = pixels.batch, tokens = spec_.tokens();
    const std::int64_t rows = batch * tokens, width = spec_.width;
    const auto matrix = [&](std::int64_t r, std::int64_t c) {
      return Matrix{stream.allocate(r * c), r, c, c};
    };
    const Matrix x = matrix(rows, width);  // residual stream, (batch * tokens, width)
    const Matrix h = matrix(rows, width);  // inputs of a product
    float* scratch = stream.allocate(
        rows * weights_.blocks->scratch_columns());  // q, k, v; then the hidden layer of the MLP

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
    const EncoderBlocks& blocks = *weights_.blocks;
    const Matrix branch = blocks.branch(h), pooled_branch = blocks.branch(pooled_h);
    for (const EncoderBlock& block : blocks.blocks()) {
      const Matrix qkv = blocks.project_qkv(stream, block, x, branch, scratch,
                                            /*rotates=*/weights_.turns != nullptr);
      if (weights_.turns) {
        const Matrix queries_and_keys{scratch, rows, 2 * width, qkv.stride};
        stream.rotate_pairs(*weights_.turns, batch, 2 * spec_.heads, first_patch, queries_and_keys);
      }
      attend(stream, &block - blocks.blocks().data(), qkv, batch, branch);
      if (!class_token || &block != &blocks.blocks().back()) {
        blocks.finish(stream, block, x, branch, scratch);
      } else {
        stream.gather_rows(x, 0, tokens, pooled);
        stream.gather_rows(branch, 0, tokens, pooled_branch);
        blocks.finish(stream, block, pooled, pooled_branch, scratch);
      }
    }
    if (class_token) {
      normalize(stream, weights_.final_norm, pooled, pooled_h);
    } else if (spec_.norm_after_pooling) {
      stream.mean_rows(x, batch, first_patch, pooled);
      normalize(stream, weights_.final_norm, pooled, pooled_h);
    } else {
      normalize(stream, weights_.final_norm, x, h);
      if (spec_.pooling == Pooling::kMean) {
        stream.mean_rows(h, batch, first_patch, pooled_h);
      } else {
        weights_.pool->run(stream, blocks, batch, h, scratch, pooled, pooled_h);
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

  void attend(compute::Stream& stream, std::ptrdiff_t block, Matrix qkv, std::int64_t batch,
              Matrix h) const {
    const float scale = weights_.blocks->attention_scale();
    const auto& distances = weights_.distances;
    const tensor::Precision precision = weights_.blocks->precision();
    if (distances.empty()) return stream.attention(qkv, batch, spec_.heads, scale, precision, h);
    const std::size_t own = distances.size() == 1 ? 0 : static_cast<std::size_t>(block);
    stream.relative_attention(*distances[own], spec_.image_width / spec_.patch, qkv, batch,
                              spec_.heads, scale, precision, h);
  }

  void normalize(compute::Stream& stream, const Norm& norm, Matrix from, Matrix to) const {
    weights_.blocks->normalize(stream, norm, from, to);
  }

  VitSpec spec_;
  std::int64_t dimension_;
  VitWeights weights_;
};

}  // namespace

double vit_flops(const VitSpec& spec, const VitTensors& tensors) {
  const auto real = [](std::int64_t n) { return static_cast<double>(n); };
  double products = real(spec.patches()) * 3 * real(spec.patch * spec.patch * spec.width);
  products += spec.products(spec.tokens()) + tensors.pool.products(spec, spec.tokens());
  for (const Affine* layer : {&tensors.pooler, &tensors.projection})
    if (layer->weight != nullptr) products += real(layer->weight->count());
  if (tensors.projection_matrix != nullptr) products += real(tensors.projection_matrix->count());
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
