// Convolutional networks whose vector is the mean of their last feature map: packs the steps of a
// plan for a backend, and runs them.
#pragma once

#include <memory>

#include "models/checkpoint.h"
#include "models/convolution_steps.h"
#include "models/image_model.h"

namespace vecframe::models {

std::unique_ptr<ImageModel> load_convolutional_network(const Checkpoint& checkpoint,
                                                       const ConvolutionPlan& plan,
                                                       compute::Backend& backend,
                                                       tensor::Precision precision);

}  // namespace vecframe::models
