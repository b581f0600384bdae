// The vision transformer.
#pragma once

#include <memory>

#include "models/checkpoint.h"
#include "models/image_model.h"
#include "models/vit_spec.h"
#include "models/vit_tensors.h"

namespace vecframe::models {

/// Multiply-adds x 2 of one picture.
double vit_flops(const VitSpec& spec, const VitTensors& tensors);

/// Reads and packs tensor after tensor, so that the peak above the packed weights is one layer.
std::unique_ptr<ImageModel> load_vision_transformer(const Checkpoint& checkpoint,
                                                    const VitSpec& spec, const VitTensors& tensors,
                                                    compute::Backend& backend,
                                                    tensor::Precision precision);

}  // namespace vecframe::models
