// The vision transformer of pictures that keep their aspect ratio: each is cut into a grid of its
// own, and the trained positions are resized to it.
//
// Source: transformers, models/siglip2/modeling_siglip2.py. There pictures are padded to one length
// and the padding is masked; here each runs at its own, which gives the same vectors.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "models/attention_pool.h"
#include "models/checkpoint.h"
#include "models/encoder_spec.h"
#include "models/encoder_tensors.h"
#include "models/image_model.h"
#include "models/vit_tensors.h"

namespace vecframe::models {

struct NaflexSpec : EncoderSpec {
  std::int64_t patch = 0;
  std::int64_t trained_side = 0;  ///< patches along the square that the positions were trained for
  std::int64_t max_patches = 0;   ///< of a picture
  bool has_head = true;           ///< attention pooling; without it, the mean of the tokens
};

struct NaflexTensors {
  const TensorInfo* positions = nullptr;
  Affine patch, final_norm;
  std::vector<BlockTensors> blocks;
  PoolTensors pool;
};

/// As find_tensors(), but the patch embedding is a matrix of whole patches. `names` has one prefix.
NaflexTensors find_naflex_tensors(const Checkpoint& checkpoint, TensorCollector& collector,
                                  const VitNames& names, const NaflexSpec& spec);

/// Multiply-adds x 2 of a picture of max_patches.
double naflex_flops(const NaflexSpec& spec, const NaflexTensors& tensors);

/// Reads and packs tensor after tensor, so that the peak above the packed weights is one layer.
std::unique_ptr<ImageModel> load_naflex_transformer(const Checkpoint& checkpoint,
                                                    const NaflexSpec& spec,
                                                    const NaflexTensors& tensors,
                                                    compute::Backend& backend,
                                                    tensor::Precision precision);

}  // namespace vecframe::models
