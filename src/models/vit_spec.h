// The knobs of the one vision transformer. A family sets them and says what its tensors are called;
// it has no code of its own at run time.
#pragma once

#include <cstdint>

#include "compute/types.h"

namespace vecframe::models {

enum class PositionResize : std::uint8_t {
  kRefuse,   ///< another picture size is an error, as in the reference without its flag
  kBicubic,  ///< torch's bicubic without antialiasing, whenever the grid differs
};

struct VitSpec {
  // The size of picture the positions were trained for, and the size that the processor makes.
  std::int64_t trained_height = 0, trained_width = 0;
  std::int64_t image_height = 0, image_width = 0;
  std::int64_t patch = 0;
  std::int64_t width = 0;  ///< of a token
  std::int64_t heads = 0;
  std::int64_t layers = 0;
  std::int64_t mlp_width = 0;
  compute::Activation activation = compute::Activation::kGeluErf;
  float epsilon = 1e-6f;           ///< of every layer norm
  bool qkv_bias = true;            ///< the output projection is always biased
  std::int64_t prefix_tokens = 1;  ///< class token, then the distillation token if there is one
  PositionResize position_resize = PositionResize::kRefuse;

  std::int64_t trained_patches() const {
    return (trained_height / patch) * (trained_width / patch);
  }
  std::int64_t patches() const { return (image_height / patch) * (image_width / patch); }
  std::int64_t tokens() const { return prefix_tokens + patches(); }
};

}  // namespace vecframe::models
