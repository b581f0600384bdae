#pragma once

#include "backends/cpu/packed.h"
#include "backends/cpu/product.h"
#include "compute/types.h"

namespace vecframe::backends::cpu {

void convolve(const Isa& isa, const DenseConvolution& convolution, compute::FeatureMap x,
              compute::FeatureMap residual, ProductScratch& scratch, compute::FeatureMap y);
void convolve(const Isa& isa, const DepthwiseConvolution& convolution, compute::FeatureMap x,
              compute::FeatureMap residual, ProductScratch& scratch, compute::FeatureMap y);

}  // namespace vecframe::backends::cpu
