#pragma once

#include <cmath>

#include "backends/cuda/kernels/element.h"
#include "compute/types.h"

namespace vecframe::backends::cuda {

VECFRAME_KERNEL float activate(compute::Activation activation, float x) {
  using compute::Activation;
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kQuickGelu:
      return x / (1.0f + expf(-1.702f * x));
    case Activation::kGeluErf:
      return 0.5f * x * (1.0f + erff(x * 0.70710678118654752f));
    case Activation::kGeluTanh:
      return 0.5f * x * (1.0f + tanhf(0.79788456080286536f * (x + 0.044715f * x * x * x)));
    case Activation::kSilu:
      return x / (1.0f + expf(-x));
    case Activation::kRelu:
      return x < 0.0f ? 0.0f : x;
    case Activation::kRelu6:
      return x < 0.0f ? 0.0f : (x > 6.0f ? 6.0f : x);
    case Activation::kTanh:
      return tanhf(x);
  }
  return x;
}

}  // namespace vecframe::backends::cuda
