// Pictures made of integers, the same as tools/golden_checkpoint.py makes.
#pragma once

#include <cstdint>

#include "image/image.h"

namespace vecframe::golden {

struct PictureRecipe {
  std::uint32_t width = 0, height = 0;
  std::int64_t seed = 0;
  bool gray = false;
};

/// RGB; a gray one has three equal channels, as a gray file after conversion.
image::Image generate_picture(const PictureRecipe& recipe);

}  // namespace vecframe::golden
