#include "backends/reference/activation.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace vecframe::backends::reference {

double activate(compute::Activation activation, double x) {
  using compute::Activation;
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kQuickGelu:
      return x / (1 + std::exp(-1.702 * x));
    case Activation::kGeluErf:
      return x / 2 * (1 + std::erf(x / std::numbers::sqrt2));
    case Activation::kGeluTanh:
      return x / 2 * (1 + std::tanh(std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
    case Activation::kSilu:
      return x / (1 + std::exp(-x));
    case Activation::kRelu:
      return std::max(x, 0.0);
    case Activation::kRelu6:
      return std::min(std::max(x, 0.0), 6.0);
    case Activation::kTanh:
      return std::tanh(x);
  }
  return x;
}

}  // namespace vecframe::backends::reference
