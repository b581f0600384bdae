#include "image/composite.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace vecframe::image {
namespace {

// Pillow's AlphaComposite.c with an opaque white ground: 7 bits more than the result needs, and a
// division by 255 made of shifts.
constexpr std::uint32_t kPrecisionBits = 7;

std::uint8_t mixed_with_white(std::uint32_t value, std::uint32_t alpha) {
  const std::uint32_t sum = (value * alpha + 255 * (255 - alpha)) << kPrecisionBits;
  const std::uint32_t rounded = sum + (0x80u << kPrecisionBits);
  return static_cast<std::uint8_t>((((rounded >> 8) + rounded) >> 8) >> kPrecisionBits);
}

}  // namespace

Image on_white(const Image& image) {
  const bool has_alpha = image.mode() == Mode::kLA || image.mode() == Mode::kRGBA;
  Image result(has_alpha ? static_cast<Mode>(static_cast<int>(image.mode()) - 1) : image.mode(),
               image.size());
  if (!has_alpha) {
    std::copy(image.pixels().begin(), image.pixels().end(), result.pixels().begin());
    return result;
  }
  const auto colours = static_cast<std::size_t>(num_channels(result.mode()));
  const std::size_t pixels = std::size_t{image.width()} * image.height();
  const std::uint8_t* in = image.pixels().data();
  std::uint8_t* out = result.pixels().data();
  for (std::size_t i = 0; i < pixels; ++i, in += colours + 1, out += colours)
    for (std::size_t c = 0; c < colours; ++c) out[c] = mixed_with_white(in[c], in[colours]);
  return result;
}

}  // namespace vecframe::image
