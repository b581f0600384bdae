#include "models/naflex_transformer.h"

#include <algorithm>
#include <cassert>
#include <string>

#include "models/encoder_blocks.h"
#include "models/position_cache.h"
#include "models/position_embedding.h"
#include "models/weight_packer.h"

namespace vecframe::models {
namespace {

using compute::Matrix;

// Of positions that are kept resized: ten grids of a base model, little beside its weights.
constexpr std::int64_t kKeptPositionBytes = 8 << 20;

class NaflexTransformer final : public ImageModel {
 public:
  NaflexTransformer(const Checkpoint& checkpoint, const NaflexSpec& spec,
                    const NaflexTensors& tensors, compute::Backend& backend,
                    tensor::Precision precision)
      : NaflexTransformer(spec, tensors, backend, WeightPacker(checkpoint, backend, precision)) {}

  std::int64_t activation_values(std::int64_t batch) const override {
    return batch * spec_.max_patches * (2 * spec_.width + blocks_.scratch_columns()) +
           batch * 2 * spec_.width + kRanges * kPadding;
  }

  // Positions of the largest grid: between the passes of the resize, resized, and on the device.
  std::int64_t transient_values() const override {
    return spec_.width *
           (2 * spec_.max_patches +
            std::max(spec_.max_patches, trained_grid().height * trained_grid().width));
  }

  void embed(compute::Stream& stream, const compute::PixelBatch& pixels,
             std::span<float> out) const override {
    stream.reset();
    const Grid grid{pixels.height / spec_.patch, pixels.width / spec_.patch};
    const std::int64_t batch = pixels.batch, width = spec_.width;
    const std::int64_t rows = batch * grid.height * grid.width;
    assert(grid.height * grid.width <= spec_.max_patches);
    // Always room for the largest grid: blocks of ever other sizes would add up in the stream.
    const std::int64_t most = batch * spec_.max_patches;
    const Matrix x{stream.allocate(most * width), rows, width, width};  // residual stream
    const Matrix h{stream.allocate(most * width), rows, width, width};  // inputs of a product
    float* scratch = stream.allocate(most * blocks_.scratch_columns());
    const Matrix z{stream.allocate(batch * width), batch, width, width};
    const Matrix y{stream.allocate(batch * width), batch, width, width};

    stream.embed_patches(*patch_, pixels, grid.height * grid.width, 0, x);
    const PositionCache::Rows positions = positions_.at(grid);
    stream.add_rows(*positions, batch, x);
    const Matrix branch = blocks_.branch(h);
    for (const EncoderBlock& block : blocks_.blocks()) {
      const Matrix qkv = blocks_.project_qkv(stream, block, x, branch, scratch);
      stream.attention(qkv, batch, spec_.heads, blocks_.attention_scale(), blocks_.precision(),
                       branch);
      blocks_.finish(stream, block, x, branch, scratch);
    }
    blocks_.normalize(stream, final_norm_, x, h);
    if (pool_)
      pool_->run(stream, blocks_, batch, h, scratch, z, y);
    else
      stream.mean_rows(h, batch, 0, y);
    stream.download(y, out);
    stream.reset();
  }

 private:
  NaflexTransformer(const NaflexSpec& spec, const NaflexTensors& tensors, compute::Backend& backend,
                    const WeightPacker& packer)
      : spec_(spec),
        patch_(packer.flat_patch(tensors.patch, spec.patch)),
        trained_positions_(packer.read(tensors.positions)),
        blocks_(spec, tensors.blocks, packer),
        final_norm_(packer.norm(tensors.final_norm)),
        positions_(static_cast<std::size_t>(kKeptPositionBytes / std::int64_t{sizeof(float)} /
                                            (spec.max_patches * spec.width)),
                   [this, &backend](Grid grid) { return backend.upload(resized_to(grid)); }) {
    if (tensors.pool.query != nullptr)
      pool_ = std::make_unique<AttentionPool>(spec, tensors.pool, packer);
  }

  // Ranges that embed() allocates, and the values that rounding each to a cache line may add.
  static constexpr std::int64_t kRanges = 5;
  static constexpr std::int64_t kPadding = tensor::kAlignment / sizeof(float);

  Grid trained_grid() const { return {spec_.trained_side, spec_.trained_side}; }

  std::vector<float> resized_to(Grid grid) const {
    return resize_positions({trained_positions_.data(), trained_positions_.size()}, /*prefix=*/0,
                            spec_.width, trained_grid(), grid,
                            PositionFilter::kBilinearAntialiased);
  }

  NaflexSpec spec_;
  std::unique_ptr<compute::PatchEmbedding> patch_;
  tensor::AlignedBuffer<float> trained_positions_;  // (trained_side ^ 2, width)
  EncoderBlocks blocks_;
  Norm final_norm_;
  std::unique_ptr<AttentionPool> pool_;  // null: none
  mutable PositionCache positions_;
};

}  // namespace

NaflexTensors find_naflex_tensors(const Checkpoint& checkpoint, TensorCollector& collector,
                                  const VitNames& names, const NaflexSpec& spec) {
  const std::string prefix(names.prefixes.front());
  const LayerFinder find(collector, prefix, spec.norm);
  NaflexTensors found;
  found.patch = find.linear(names.patch, spec.width, spec.patch * spec.patch * 3, names.patch_bias);
  found.positions =
      find.vector(names.positions, {spec.trained_side * spec.trained_side, spec.width});
  found.blocks = find_blocks(checkpoint, collector, prefix, names, spec);
  found.final_norm = find.norm(names.final_norm, spec.width);
  if (spec.has_head) found.pool = find_pool(find, names.pool, spec);
  return found;
}

double naflex_flops(const NaflexSpec& spec, const NaflexTensors& tensors) {
  const auto real = [](std::int64_t n) { return static_cast<double>(n); };
  return 2 * (real(spec.max_patches) * 3 * real(spec.patch * spec.patch * spec.width) +
              spec.products(spec.max_patches) + tensors.pool.products(spec, spec.max_patches));
}

std::unique_ptr<ImageModel> load_naflex_transformer(const Checkpoint& checkpoint,
                                                    const NaflexSpec& spec,
                                                    const NaflexTensors& tensors,
                                                    compute::Backend& backend,
                                                    tensor::Precision precision) {
  return std::make_unique<NaflexTransformer>(checkpoint, spec, tensors, backend, precision);
}

}  // namespace vecframe::models
