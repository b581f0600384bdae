// Where the weights of a vision transformer are: name tables of the families, and the tensors found
// by them.
#pragma once

#include <string_view>
#include <vector>

#include "models/attention_pool.h"
#include "models/encoder_tensors.h"
#include "models/vit_spec.h"

namespace vecframe::models {

/// See BlockNames.
struct VitNames : BlockNames {
  std::vector<std::string_view> prefixes;  ///< of all names but the projections'; tried in order
  std::string_view class_token, distillation_token, registers, positions;
  std::string_view patch;
  bool patch_bias = true;
  std::string_view patch_norm;  ///< of the patches, before positions are added
  std::string_view pre_norm;
  std::string_view block_distances;   ///< whole name, in a block
  std::string_view shared_distances;  ///< whole name
  std::string_view final_norm;
  PoolNames pool;
  std::string_view pooler;      ///< tanh(dense(class token)); used if it is there
  std::string_view projection;  ///< used if it is there
  bool projection_bias = false;
  std::string_view projection_matrix;  ///< in place of `projection`, whole name: stored (in, out)
  /// Position and tokens are [1, rows, width] in most families, [rows, width] and [width] in CLIP.
  bool leading_one = true;
};

struct VitTensors {
  const TensorInfo* class_token = nullptr;
  const TensorInfo* distillation_token = nullptr;
  const TensorInfo* registers = nullptr;
  const TensorInfo* positions = nullptr;
  Affine patch, patch_norm, pre_norm, final_norm, pooler, projection;
  const TensorInfo* projection_matrix = nullptr;
  PoolTensors pool;
  std::vector<const TensorInfo*> block_distances;  ///< as blocks, or empty
  const TensorInfo* shared_distances = nullptr;
  std::vector<BlockTensors> blocks;

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
