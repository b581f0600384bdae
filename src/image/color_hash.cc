#include "image/color_hash.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "image/convert.h"

namespace vecframe::image {
namespace {

constexpr std::size_t kHues = 6;
constexpr int kBlackBelow = 256 / 8, kGrayBelow = 256 / 3, kBright = 256 * 2 / 3;

struct HueSaturation {
  int hue, saturation;
};

// Pillow's conversion to HSV: float32, the hue's arithmetic in float64 where a constant is, both
// cut off to 8 bits. Source: Pillow, src/libImaging/Convert.c.
HueSaturation hue_saturation(const std::uint8_t* rgb) {
  const int r = rgb[0], g = rgb[1], b = rgb[2];
  const int largest = std::max({r, g, b}), smallest = std::min({r, g, b});
  if (largest == smallest) return {0, 0};
  const auto range = static_cast<float>(largest - smallest);
  const float saturation = range / static_cast<float>(largest);
  const auto distance = [&](int value) { return static_cast<float>(largest - value) / range; };
  float hue;
  if (r == largest)
    hue = distance(b) - distance(g);
  else if (g == largest)
    hue = static_cast<float>(2.0 + distance(r) - distance(b));
  else
    hue = static_cast<float>(4.0 + distance(g) - distance(r));
  hue = static_cast<float>(std::fmod(hue / 6.0 + 1.0, 1.0));
  return {std::clamp(static_cast<int>(hue * 255.0), 0, 255),
          std::clamp(static_cast<int>(saturation * 255.0), 0, 255)};
}

}  // namespace

void push_color_hash(const Image& image, std::size_t bits_per_bin, HashBits& bits) {
  const Image rgb = converted(image, Mode::kRGB);
  const Image gray = converted(image, Mode::kL);
  const std::size_t pixels = gray.pixels().size();
  std::size_t colored = 0;
  std::array<std::size_t, kColorBins> counts{};  // black, gray, faint, bright
  for (std::size_t i = 0; i < pixels; ++i) {
    if (gray.pixels()[i] < kBlackBelow) {
      ++counts[0];
      continue;
    }
    const auto [hue, saturation] = hue_saturation(rgb.pixels().data() + 3 * i);
    if (saturation < kGrayBelow) {
      ++counts[1];
      continue;
    }
    ++colored;
    // The edges of hues are at multiples of 42.5. A saturation of kBright itself is in no bin.
    const std::size_t bin = std::min(kHues - 1, static_cast<std::size_t>(hue) * 2 / 85);
    if (saturation < kBright) ++counts[2 + bin];
    if (saturation > kBright) ++counts[2 + kHues + bin];
  }
  const double levels = std::ldexp(1.0, static_cast<int>(bits_per_bin));
  for (std::size_t bin = 0; bin < kColorBins; ++bin) {
    const auto count = static_cast<double>(counts[bin]);
    const double value =
        bin < 2 ? count / static_cast<double>(pixels) * levels
                : count * levels / static_cast<double>(std::max<std::size_t>(1, colored));
    const auto v = static_cast<std::uint64_t>(std::min(levels - 1, std::floor(value)));
    for (std::size_t left = bits_per_bin; left > 0; --left)
      bits.push((v >> (left - 1)) % (std::uint64_t{1} << left) > 0);
  }
}

}  // namespace vecframe::image
