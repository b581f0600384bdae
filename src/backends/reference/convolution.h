#pragma once

#include "backends/reference/packed.h"
#include "compute/types.h"

namespace vecframe::backends::reference {

void convolve(const ReferenceConvolution& convolution, compute::FeatureMap x,
              compute::FeatureMap residual, compute::FeatureMap y);

}  // namespace vecframe::backends::reference
