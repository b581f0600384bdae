#pragma once

#include "backends/cpu/packed.h"
#include "backends/cpu/product.h"
#include "compute/types.h"

namespace vecframe::backends::cpu {

void convolve(const Isa& isa, const DenseConvolution& convolution, compute::FeatureMap x,
              compute::FeatureMap residual, ProductScratch& scratch, compute::FeatureMap y);
void convolve(const Isa& isa, const DepthwiseConvolution& convolution, compute::FeatureMap x,
              compute::FeatureMap residual, ProductScratch& scratch, compute::FeatureMap y);

void max_pool(const Isa& isa, compute::FeatureMap x, std::int64_t kernel, std::int64_t stride,
              std::int64_t padding, compute::FeatureMap y);
void normalize_response(const Isa& isa, const float* weight, const float* bias, float epsilon,
                        compute::FeatureMap x, ProductScratch& scratch);

}  // namespace vecframe::backends::cpu
