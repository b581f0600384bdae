#include "image/patch_fit.h"

#include <algorithm>
#include <cmath>

namespace vecframe::image {
namespace {

// Patches along a side, as a whole number. In float64 like the reference: where a side falls on a
// multiple of the patch, the last bit decides.
double patches_along(std::uint32_t side, double scale, double patch) {
  return std::max(1.0, std::ceil(side * scale / patch));
}

}  // namespace

Size fit_patches(Size size, std::uint32_t patch, std::uint32_t max_patches) {
  constexpr double kPrecision = 1e-5;
  const double pixels = patch;
  double low = kPrecision / 10, high = 100;
  while (high - low >= kPrecision) {
    const double scale = (low + high) / 2;
    const double patches =
        patches_along(size.height, scale, pixels) * patches_along(size.width, scale, pixels);
    (patches <= max_patches ? low : high) = scale;
  }
  const auto side = [&](std::uint32_t length) {
    return static_cast<std::uint32_t>(patches_along(length, low, pixels)) * patch;
  };
  return {side(size.width), side(size.height)};
}

}  // namespace vecframe::image
