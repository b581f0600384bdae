// Attention pooling: the tokens of a picture become one vector by a learned query.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "compute/backend.h"
#include "models/encoder_blocks.h"
#include "models/encoder_spec.h"
#include "models/encoder_tensors.h"
#include "models/weight_packer.h"

namespace vecframe::models {

/// The query is `query` itself or that token through a layer: `query_projection`, or the first
/// third of a joint projection of q, k and v. An MLP with its norm may follow.
struct PoolNames {
  std::string_view query;
  std::string_view in_projection;  ///< up to "_weight" and "_bias"; in place of key and value
  std::string_view query_projection;
  std::string_view key, value, output;
  std::string_view key_value;  ///< in place of key and value
  std::string_view norm, fc1, fc2;
};

struct PoolTensors {
  const TensorInfo* query = nullptr;
  Affine in_projection, query_projection, key, value, key_value, output, norm, fc1, fc2;

  /// Multiply-adds for one picture of `tokens`.
  double products(const EncoderSpec& spec, std::int64_t tokens) const;
};

PoolTensors find_pool(const LayerFinder& find, const PoolNames& names, const EncoderSpec& spec);

class AttentionPool {
 public:
  AttentionPool(const EncoderSpec& spec, const PoolTensors& tensors, const WeightPacker& packer);

  /// Pools the normed tokens of each picture into a row of `y`. `z`, of the same shape, and
  /// `scratch`, as of `blocks`, are overwritten.
  void run(compute::Stream& stream, const EncoderBlocks& blocks, std::int64_t batch,
           compute::Matrix tokens, float* scratch, compute::Matrix z, compute::Matrix y) const;

 private:
  EncoderSpec spec_;
  std::unique_ptr<compute::Vector> query_;  // of all heads; a constant
  std::unique_ptr<compute::Linear> key_value_, output_;
  Norm norm_;                                   // null: no MLP after it
  std::unique_ptr<compute::Linear> fc1_, fc2_;  // null: none
};

}  // namespace vecframe::models
