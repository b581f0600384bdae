#pragma once

#include <cstdint>
#include <vector>

#include "backends/reference/packed.h"
#include "compute/types.h"

namespace vecframe::backends::reference {

void convolve(const ReferenceConvolution& convolution, compute::FeatureMap x,
              compute::FeatureMap residual, compute::FeatureMap y);
void max_pool(compute::FeatureMap x, std::int64_t kernel, std::int64_t stride, std::int64_t padding,
              compute::FeatureMap y);
void normalize_response(const std::vector<float>& weight, const std::vector<float>& bias,
                        float epsilon, compute::FeatureMap x);

}  // namespace vecframe::backends::reference
