// The weights of a vision transformer, packed for a backend.
#pragma once

#include <memory>
#include <vector>

#include "compute/backend.h"
#include "models/attention_pool.h"
#include "models/checkpoint.h"
#include "models/encoder_blocks.h"
#include "models/vit_spec.h"
#include "models/vit_tensors.h"
#include "models/weight_packer.h"

namespace vecframe::models {

struct VitWeights {
  std::unique_ptr<compute::PatchEmbedding> patch;
  std::unique_ptr<compute::Vector> prefix;     // (prefix_tokens + registers, width); null: none
  std::unique_ptr<compute::Vector> positions;  // (tokens, width), at the picture's grid; null: none
  std::unique_ptr<compute::Vector> turns;      // rotary: (patches, width / heads); null: none
  std::vector<std::unique_ptr<compute::Vector>> distances;  // one a block, or one for all, or none
  Norm patch_norm, pre_norm;                                // null: none
  std::unique_ptr<EncoderBlocks> blocks;
  Norm final_norm;
  std::unique_ptr<AttentionPool> pool;                  // null: none
  std::unique_ptr<compute::Linear> pooler, projection;  // null: none
};

/// Reads and packs tensor after tensor, so that the peak above the packed weights is one layer.
VitWeights load_vit_weights(const Checkpoint& checkpoint, const VitSpec& spec,
                            const VitTensors& tensors, compute::Backend& backend,
                            tensor::Precision precision);

}  // namespace vecframe::models
