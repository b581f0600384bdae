#include "image/tiff_unpack.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace vecframe::image {
namespace {

using Pixels = TiffLayout::Pixels;
using Alpha = TiffLayout::Alpha;

std::uint16_t load16(const std::uint8_t* in, bool big_endian) {
  return static_cast<std::uint16_t>(big_endian ? in[0] << 8 | in[1] : in[1] << 8 | in[0]);
}
std::uint32_t load32(const std::uint8_t* in, bool big_endian) {
  const std::uint32_t first = load16(in, big_endian), second = load16(in + 2, big_endian);
  return big_endian ? first << 16 | second : second << 16 | first;
}

std::uint8_t unmultiply(std::uint8_t value, std::uint8_t alpha) {
  if (alpha == 0) return 0;
  return static_cast<std::uint8_t>(std::min(value * 255 / alpha, 255));
}

}  // namespace

TiffUnpacker::TiffUnpacker(const TiffLayout& layout, const TiffDirectory& directory,
                           bool big_endian)
    : layout_(layout), big_endian_(big_endian) {
  if (layout.pixels != Pixels::kPalette) return;
  const TiffTag* map = directory.find(tiff_tag::kColourMap);
  if (map == nullptr) return;
  // All reds, all greens, all blues; a colour the map has not is black.
  const std::uint64_t count = map->count / 3;
  for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, 256); ++i) {
    for (std::uint64_t c = 0; c < 3; ++c) {
      const auto value = directory.integer(*map, c * count + i);
      palette_[i][c] = static_cast<std::uint8_t>(value.value_or(0) / 256);
    }
  }
}

void TiffUnpacker::row(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const {
  switch (layout_.pixels) {
    case Pixels::kGray:
      return gray(in, width, out);
    case Pixels::kGray12:
      return gray12(in, width, out);
    case Pixels::kInteger:
    case Pixels::kFloat:
      return numbers(in, width, out);
    case Pixels::kPalette:
      return palette(in, width, out);
    case Pixels::kColours:
      return colours(in, width, out);
    case Pixels::kYcbcr:
      return ycbcr(in, width, out);
    case Pixels::kCmyk:
      return cmyk(in, width, out);
  }
}

void TiffUnpacker::gray(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const {
  if (layout_.bits == 16) {
    for (std::size_t x = 0; x < width; ++x) {
      const std::uint16_t value = load16(in + 2 * x, big_endian_);
      std::memcpy(out + 2 * x, &value, 2);
    }
    return;
  }
  const auto bits = static_cast<unsigned>(layout_.bits);
  const unsigned per_byte = 8 / bits, mask = (1u << bits) - 1, scale = 255 / mask;
  const unsigned flip = layout_.inverted ? 255 : 0;
  for (std::size_t x = 0; x < width; ++x) {
    const unsigned shift = 8 - bits * (static_cast<unsigned>(x % per_byte) + 1);
    out[x] = static_cast<std::uint8_t>((in[x / per_byte] >> shift & mask) * scale ^ flip);
  }
}

void TiffUnpacker::gray12(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const {
  for (std::size_t x = 0; x < width; ++x) {
    const std::uint8_t* pair = in + x / 2 * 3;
    const auto value = static_cast<std::uint16_t>(x % 2 == 0 ? pair[0] << 4 | pair[1] >> 4
                                                             : (pair[1] & 15) << 8 | pair[2]);
    std::memcpy(out + 2 * x, &value, 2);
  }
}

void TiffUnpacker::numbers(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const {
  for (std::size_t x = 0; x < width; ++x) {
    std::int64_t value;
    if (layout_.bits == 16) {
      value = static_cast<std::int16_t>(load16(in + 2 * x, big_endian_));
    } else {
      const std::uint32_t word = load32(in + 4 * x, big_endian_);
      if (layout_.pixels == Pixels::kFloat) {
        const float number = std::bit_cast<float>(word);
        out[x] = number >= 255 ? 255 : number > 0 ? static_cast<std::uint8_t>(number) : 0;
        continue;
      }
      value = static_cast<std::int32_t>(word);  // unsigned ones too: Pillow has no such mode
    }
    out[x] = static_cast<std::uint8_t>(std::clamp<std::int64_t>(value, 0, 255));
  }
}

void TiffUnpacker::palette(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const {
  const auto bits = static_cast<unsigned>(layout_.bits);
  const unsigned per_byte = 8 / bits, mask = (1u << bits) - 1;
  const auto step = static_cast<std::size_t>(layout_.num_samples);
  const bool alpha = layout_.alpha != Alpha::kNone;
  for (std::size_t x = 0; x < width; ++x) {
    unsigned index = in[x * step];
    if (bits < 8) index = in[x / per_byte] >> (8 - bits * (x % per_byte + 1)) & mask;
    out = std::copy(palette_[index].begin(), palette_[index].end(), out);
    if (alpha) *out++ = in[x * step + 1];
  }
}

void TiffUnpacker::colours(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const {
  const bool deep = layout_.bits == 16;
  const std::size_t sample_bytes = deep ? 2 : 1;
  const std::size_t step = static_cast<std::size_t>(layout_.num_samples) * sample_bytes;
  const std::size_t high = deep && !big_endian_ ? 1 : 0;  // the byte that is kept
  const auto channels = static_cast<std::size_t>(num_channels(layout_.mode));
  for (std::size_t x = 0; x < width; ++x, in += step, out += channels) {
    for (std::size_t c = 0; c < channels; ++c) out[c] = in[c * sample_bytes + high];
    if (layout_.alpha != Alpha::kPremultiplied) continue;
    for (std::size_t c = 0; c + 1 < channels; ++c) out[c] = unmultiply(out[c], out[channels - 1]);
  }
}

void TiffUnpacker::cmyk(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const {
  const bool deep = layout_.bits == 16;
  const std::size_t sample_bytes = deep ? 2 : 1;
  const std::size_t step = static_cast<std::size_t>(layout_.num_samples) * sample_bytes;
  const std::size_t high = deep && !big_endian_ ? 1 : 0;
  for (std::size_t x = 0; x < width; ++x, in += step, out += 3) {
    const int white = 255 - in[3 * sample_bytes + high];
    for (std::size_t c = 0; c < 3; ++c) {
      const int product = in[c * sample_bytes + high] * white + 128;
      out[c] = static_cast<std::uint8_t>(std::max(white - (((product >> 8) + product) >> 8), 0));
    }
  }
}

void TiffUnpacker::ycbcr(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const {
  // Pillow's tables of 6 fraction bits: truncated towards zero after adding a half.
  const auto scaled = [](double factor, int chroma) {
    return static_cast<int>((chroma - 128) * factor * 64 + 0.5);
  };
  const auto clip = [](int value) { return static_cast<std::uint8_t>(std::clamp(value, 0, 255)); };
  for (std::size_t x = 0; x < width; ++x, in += 3, out += 3) {
    const int y = in[0], cb = in[1], cr = in[2];
    out[0] = clip(y + (scaled(1.402, cr) >> 6));
    out[1] = clip(y + ((scaled(-0.34414, cb) + scaled(-0.71414, cr)) >> 6));
    out[2] = clip(y + (scaled(1.772, cb) >> 6));
  }
}

}  // namespace vecframe::image
