#include "generated_picture.h"

namespace vecframe::golden {
namespace {

std::int64_t lcg(std::int64_t state) { return (state * 1103515245 + 12345) & 0x7fffffff; }

// x & 511 of a negative number in two's complement is what numpy computes too.
std::int64_t sample(const PictureRecipe& recipe, std::int64_t x, std::int64_t y, std::int64_t c) {
  const std::int64_t seed = recipe.seed;
  const std::int64_t slope_x = (lcg(seed * 31 + c) >> 16) % 23 - 11;
  const std::int64_t slope_y = (lcg(seed * 37 + c + 5) >> 16) % 23 - 11;
  std::int64_t wave = (x * slope_x + y * slope_y) & 511;
  if (wave > 255) wave = 511 - wave;
  const std::int64_t block_state =
      (seed * 7919 + (x >> 4) * 12347 + (y >> 4) * 54323 + c * 7717) & 0x7fffffff;
  const std::int64_t block = (lcg(block_state) >> 16) & 255;
  const std::int64_t noise_state = (seed * 104729 + x * 7 + y * 1009 + c * 31) & 0x7fffffff;
  const std::int64_t noise = (lcg(noise_state) >> 16) & 255;
  return (3 * wave + 4 * block + noise) >> 3;
}

}  // namespace

image::Image generate_picture(const PictureRecipe& recipe) {
  image::Image picture(image::Mode::kRGB, {recipe.width, recipe.height});
  for (std::uint32_t y = 0; y < recipe.height; ++y) {
    std::uint8_t* row = picture.row(y);
    for (std::uint32_t x = 0; x < recipe.width; ++x)
      for (std::uint32_t c = 0; c < 3; ++c)
        row[3 * x + c] = static_cast<std::uint8_t>(sample(recipe, x, y, recipe.gray ? 0 : c));
  }
  return picture;
}

}  // namespace vecframe::golden
