// Reads tensors of a checkpoint, one layer at a time, and packs them for a backend.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>

#include "compute/backend.h"
#include "models/checkpoint.h"
#include "models/encoder_tensors.h"
#include "tensor/aligned_buffer.h"
#include "tensor/dtype.h"

namespace vecframe::models {

struct Norm {
  std::unique_ptr<compute::Vector> weight, bias;
};

/// Layers of the same input as one matrix: the rows of the first, then of the next.
struct JointLayer {
  tensor::AlignedBuffer<float> weight, bias;  ///< no bias at all: empty
  std::int64_t in = 0, out = 0;

  compute::LinearWeights weights() const {
    return {{weight.data(), weight.size()}, {bias.data(), bias.size()}, in, out};
  }
};

class WeightPacker {
 public:
  WeightPacker(const Checkpoint& checkpoint, compute::Backend& backend, tensor::Precision precision)
      : checkpoint_(checkpoint), backend_(backend), precision_(precision) {}

  tensor::Precision precision() const { return precision_; }
  /// Empty for null.
  tensor::AlignedBuffer<float> read(const TensorInfo* tensor) const;
  /// Of nothing, null weights.
  Norm norm(const Affine& layer) const;
  /// Null for a layer that is not there. `scale`, if not null, multiplies the outputs: it goes into
  /// the rows and the bias.
  std::unique_ptr<compute::Linear> linear(const Affine& layer,
                                          const TensorInfo* scale = nullptr) const;
  /// A bias that one of them lacks is zero.
  JointLayer joint(std::initializer_list<const Affine*> layers) const;
  /// joint() as one product.
  std::unique_ptr<compute::Linear> stacked(std::initializer_list<const Affine*> layers) const {
    return pack(joint(layers));
  }
  /// A matrix stored (in, out), without a bias. Null for null.
  std::unique_ptr<compute::Linear> transposed(const TensorInfo* matrix) const;
  std::unique_ptr<compute::Linear> pack(const compute::LinearWeights& weights) const {
    return backend_.pack(weights, precision_);
  }
  /// Keeps the memory for the next joint() of the same size, which then is not cleared again.
  std::unique_ptr<compute::Linear> pack(JointLayer layer) const;
  /// From [out, 3, patch, patch].
  std::unique_ptr<compute::PatchEmbedding> patch(const Affine& layer) const;
  /// From [out, patch * patch * 3], rows in the order (y, x, channel).
  std::unique_ptr<compute::PatchEmbedding> flat_patch(const Affine& layer,
                                                      std::int64_t patch) const;
  std::unique_ptr<compute::Vector> upload(std::span<const float> values) const {
    return backend_.upload(values);
  }

 private:
  const Checkpoint& checkpoint_;
  compute::Backend& backend_;
  tensor::Precision precision_;
  mutable tensor::AlignedBuffer<float> spare_;
};

}  // namespace vecframe::models
