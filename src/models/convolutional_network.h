// Convolutional networks of inverted bottlenecks without squeeze-excite: the EfficientNet-Lite
// line.
//
// Every convolution is followed by a batch norm, folded into it when it is packed, and all but the
// projections by ReLU6. Padding is TensorFlow's "SAME": of an odd total, the extra row is below and
// right.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "models/checkpoint.h"
#include "models/convnet_spec.h"
#include "models/image_model.h"
#include "models/tensor_collector.h"

namespace vecframe::models {

/// One convolution of the chain, in order of execution, and its tensors.
struct ConvLayer {
  std::int64_t in = 0, out = 0, kernel = 1, stride = 1, groups = 1;
  std::int64_t in_size = 0, out_size = 0;  ///< side of the maps
  bool activated = true;
  bool ends_block = false;  ///< writes the input of the next block
  bool residual = false;    ///< adds the input of its block
  const TensorInfo* weight = nullptr;
  const TensorInfo *scale = nullptr, *shift = nullptr, *mean = nullptr, *variance = nullptr;
};

/// Lays out the chain and finds its tensors by the names of the original checkpoint
/// (`_blocks.0._depthwise_conv.weight`, `_bn1`, ...). Missing ones are remembered by the collector.
std::vector<ConvLayer> find_layers(TensorCollector& collector, const ConvnetSpec& spec);

double convnet_flops(const std::vector<ConvLayer>& layers);

std::unique_ptr<ImageModel> load_convolutional_network(const Checkpoint& checkpoint,
                                                       const ConvnetSpec& spec,
                                                       const std::vector<ConvLayer>& layers,
                                                       compute::Backend& backend,
                                                       tensor::Precision precision);

}  // namespace vecframe::models
