// Where the weights of a vision transformer are: name tables of the families, and the tensors found
// by them.
#pragma once

#include <string_view>
#include <vector>

#include "models/checkpoint.h"
#include "models/tensor_collector.h"
#include "models/vit_spec.h"

namespace vecframe::models {

/// Attention pooling. The query is `query` itself or, with `in_projection`, that token through the
/// first third of a joint projection of q, k and v. An MLP with its norm may follow.
struct PoolNames {
  std::string_view query;
  std::string_view in_projection;  ///< up to "_weight" and "_bias"; in place of key and value
  std::string_view key, value, output;
  std::string_view norm, fc1, fc2;
};

/// Names as they stand in checkpoints; an empty one is a part that the family does not have. Names
/// of layers are without ".weight" and ".bias".
struct VitNames {
  std::vector<std::string_view> prefixes;  ///< of all names below but `projection`; tried in order
  std::string_view class_token, distillation_token, registers, positions;
  std::string_view patch;
  bool patch_bias = true;
  std::string_view patch_norm;  ///< of the patches, before positions are added
  std::string_view pre_norm;
  std::string_view block;                                          ///< up to the index
  std::string_view norm1, qkv, query, key, value, output, scale1;  ///< in a block
  /// The first product of the MLP is `fc1`, or, in two parts, `gate` and `up`.
  std::string_view norm2, fc1, gate, up, fc2, scale2;
  std::string_view final_norm;
  PoolNames pool;
  std::string_view pooler;      ///< tanh(dense(class token)); used if it is there
  std::string_view projection;  ///< used if it is there
  /// Position and tokens are [1, rows, width] in most families, [rows, width] and [width] in CLIP.
  bool leading_one = true;
};

/// weight and bias of one layer; bias may be null.
struct Affine {
  const TensorInfo* weight = nullptr;
  const TensorInfo* bias = nullptr;
};

struct VitBlockTensors {
  Affine norm1, qkv, query, key, value, output, norm2, fc1, gate, up, fc2;
  const TensorInfo* scale1 = nullptr;
  const TensorInfo* scale2 = nullptr;
};

struct PoolTensors {
  const TensorInfo* query = nullptr;
  Affine in_projection, key, value, output, norm, fc1, fc2;
};

struct VitTensors {
  const TensorInfo* class_token = nullptr;
  const TensorInfo* distillation_token = nullptr;
  const TensorInfo* registers = nullptr;
  const TensorInfo* positions = nullptr;
  Affine patch, patch_norm, pre_norm, final_norm, pooler, projection;
  PoolTensors pool;
  std::vector<VitBlockTensors> blocks;

  /// Of the last layer that is applied.
  std::int64_t dimension() const;
};

/// The first of the tables, and of its prefixes, whose patch embedding and first block are in the
/// checkpoint, with that one prefix. If none fits, the first one, so that the missing names can be
/// listed.
VitNames matching_names(const Checkpoint& checkpoint, const std::vector<VitNames>& tables);

/// Finds every tensor that `spec` means. Missing ones are remembered by the collector. Throws
/// RequestError if the checkpoint has more or fewer blocks than `spec`.
VitTensors find_tensors(const Checkpoint& checkpoint, TensorCollector& collector,
                        const VitNames& names, const VitSpec& spec);

}  // namespace vecframe::models
