// The weights of a vision transformer, packed for a backend.
#pragma once

#include <memory>
#include <vector>

#include "compute/backend.h"
#include "models/checkpoint.h"
#include "models/vit_spec.h"
#include "models/vit_tensors.h"

namespace vecframe::models {

struct Norm {
  std::unique_ptr<compute::Vector> weight, bias;
};

struct VitBlock {
  Norm norm1, norm2;
  std::unique_ptr<compute::Linear> qkv, output, fc1, fc2;  ///< fc1: gate, then up, if gated
};

/// Attention pooling.
struct Pool {
  std::unique_ptr<compute::Vector> query;  // of all heads; a constant
  std::unique_ptr<compute::Linear> key_value, output;
  Norm norm;                                  // null: no MLP after it
  std::unique_ptr<compute::Linear> fc1, fc2;  // null: none
};

struct VitWeights {
  std::unique_ptr<compute::PatchEmbedding> patch;
  std::unique_ptr<compute::Vector> prefix;     // (prefix_tokens + registers, width); null: none
  std::unique_ptr<compute::Vector> positions;  // (tokens, width), at the picture's grid; or null
  std::unique_ptr<compute::Vector> turns;      // rotary: (patches, width / heads); null: none
  Norm patch_norm, pre_norm;                   // null: none
  std::vector<VitBlock> blocks;
  Norm final_norm;
  Pool pool;
  std::unique_ptr<compute::Linear> pooler, projection;  // null: none
};

/// Reads and packs tensor after tensor, so that the peak above the packed weights is one layer.
VitWeights load_vit_weights(const Checkpoint& checkpoint, const VitSpec& spec,
                            const VitTensors& tensors, compute::Backend& backend,
                            tensor::Precision precision);

}  // namespace vecframe::models
