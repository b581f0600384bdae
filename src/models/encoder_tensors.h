// Where the weights of transformer blocks are: their names in a family, and the tensors found by
// them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint.h"
#include "models/encoder_spec.h"
#include "models/tensor_collector.h"

namespace vecframe::models {

/// Names as they stand in checkpoints, without ".weight" and ".bias"; an empty one is a part that
/// the family does not have.
struct BlockNames {
  std::string_view block;                                          ///< up to the index
  std::string_view norm1, qkv, query, key, value, output, scale1;  ///< in a block
  std::string_view in_projection;  ///< in place of qkv, up to "_weight" and "_bias"
  /// Whole names of biases that stand apart from their matrices. The key has none then.
  std::string_view query_bias, value_bias;
  std::string_view attention_norm;  ///< of what attention gives, before `output`
  /// The first product of the MLP is `fc1`, or, in two parts, `gate` and `up`.
  std::string_view norm2, fc1, gate, up, fc2, scale2;
  std::string_view mlp_norm;  ///< of the hidden layer, before `fc2`
};

/// weight and bias of one layer; bias may be null.
struct Affine {
  const TensorInfo* weight = nullptr;
  const TensorInfo* bias = nullptr;
};

struct BlockTensors {
  Affine norm1, qkv, query, key, value, attention_norm, output;
  Affine norm2, fc1, gate, up, mlp_norm, fc2;
  const TensorInfo* query_bias = nullptr;
  const TensorInfo* value_bias = nullptr;
  const TensorInfo* scale1 = nullptr;
  const TensorInfo* scale2 = nullptr;
};

/// Finds layers whose names begin with one prefix. An empty name finds nothing; what is missing the
/// collector remembers.
class LayerFinder {
 public:
  LayerFinder(TensorCollector& collector, std::string prefix, compute::NormKind norm)
      : collector_(collector),
        prefix_(std::move(prefix)),
        norm_bias_(norm == compute::NormKind::kLayerNorm) {}

  const TensorInfo* vector(std::string_view name, std::vector<std::int64_t> shape) const;
  Affine norm(std::string_view name, std::int64_t width) const;
  Affine linear(std::string_view name, std::int64_t out, std::int64_t in, bool has_bias) const;
  Affine affine(std::string_view name, std::vector<std::int64_t> shape, std::int64_t out,
                bool has_bias, std::string_view separator = ".") const;
  /// A layer of which the checkpoint, not the config, says whether it is there and how wide.
  Affine optional_linear(const Checkpoint& checkpoint, std::string_view name, std::int64_t in,
                         bool has_bias) const;

 private:
  TensorCollector& collector_;
  std::string prefix_;
  bool norm_bias_;
};

/// The blocks whose names begin with `prefix`. Throws RequestError if the checkpoint has more or
/// fewer of them than `spec`.
std::vector<BlockTensors> find_blocks(const Checkpoint& checkpoint, TensorCollector& collector,
                                      const std::string& prefix, const BlockNames& names,
                                      const EncoderSpec& spec);

}  // namespace vecframe::models
