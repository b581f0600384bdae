// Transformer blocks with packed weights: what towers of pictures and of texts share.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "compute/backend.h"
#include "models/encoder_spec.h"
#include "models/encoder_tensors.h"
#include "models/weight_packer.h"

namespace vecframe::models {

struct EncoderBlock {
  Norm norm1, norm2;
  Norm attention_norm, mlp_norm;                           ///< inside the two branches; null: none
  std::unique_ptr<compute::Linear> qkv, output, fc1, fc2;  ///< fc1: gate, then up, if gated
};

class EncoderBlocks {
 public:
  /// Reads and packs block after block, so that the peak above the packed weights is one layer.
  EncoderBlocks(const EncoderSpec& spec, const std::vector<BlockTensors>& tensors,
                const WeightPacker& packer);

  const std::vector<EncoderBlock>& blocks() const { return blocks_; }
  /// Columns of scratch that a block needs for each row: q, k, v, or the hidden layer of the MLP.
  std::int64_t scratch_columns() const;
  /// 1 / sqrt(width of a head)
  float attention_scale() const;
  tensor::Precision precision() const { return precision_; }
  /// `h` of the calls below: what norms and attention write for products to read.
  compute::Matrix branch(compute::Matrix h) const;

  void normalize(compute::Stream& stream, const Norm& norm, compute::Matrix from,
                 compute::Matrix to) const;
  /// qkv = projections of norm1(x), or of x if the norms follow, in `scratch`; `h` is overwritten.
  /// `rotates` tells that rotate_pairs() follows.
  compute::Matrix project_qkv(compute::Stream& stream, const EncoderBlock& block, compute::Matrix x,
                              compute::Matrix h, float* scratch, bool rotates = false) const;
  /// x += output(h); x += fc2(act(fc1(norm2(x)))), with the norms inside, or x +=
  /// norm1(output(h)); x += norm2(fc2(act(fc1(x)))) if the norms follow, where `h` is what
  /// attention gave, and is overwritten as `scratch` is.
  void finish(compute::Stream& stream, const EncoderBlock& block, compute::Matrix x,
              compute::Matrix h, float* scratch) const;

 private:
  /// fc2(act(fc1(from))), added to `residual` if its data is not null.
  void apply_mlp(compute::Stream& stream, const EncoderBlock& block, compute::Matrix from,
                 float* scratch, compute::Matrix residual, compute::Matrix to) const;

  EncoderSpec spec_;
  tensor::Precision precision_;
  std::vector<EncoderBlock> blocks_;
};

}  // namespace vecframe::models
