#include "image/convert.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vecframe::image {
namespace {

// ITU-R 601-2 luma in 16-bit fixed point, with Pillow's rounding.
inline std::uint8_t luma(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >>
                                   16);
}

// One instance for each pair of modes, so that the compiler sees constant strides.
template <int kFrom, int kTo>
void convert_row(const std::uint8_t* __restrict from, std::uint8_t* __restrict to,
                 std::size_t width) {
  constexpr int kFromColours = kFrom <= 2 ? 1 : 3;
  constexpr int kToColours = kTo <= 2 ? 1 : 3;
  for (std::size_t x = 0; x < width; ++x) {
    const std::uint8_t* in = from + x * kFrom;
    std::uint8_t* out = to + x * kTo;
    if constexpr (kFromColours == kToColours) {
      for (int c = 0; c < kToColours; ++c) out[c] = in[c];
    } else if constexpr (kToColours == 3) {
      out[0] = out[1] = out[2] = in[0];
    } else {
      out[0] = luma(in);
    }
    if constexpr (kTo % 2 == 0) out[kTo - 1] = kFrom % 2 == 0 ? in[kFrom - 1] : 255;
  }
}

template <int kFrom>
void convert_rows(const Image& from, Image& to) {
  const std::size_t pixels = std::size_t{from.width()} * from.height();
  const std::uint8_t* in = from.pixels().data();
  std::uint8_t* out = to.pixels().data();
  switch (num_channels(to.mode())) {
    case 1:
      return convert_row<kFrom, 1>(in, out, pixels);
    case 2:
      return convert_row<kFrom, 2>(in, out, pixels);
    case 3:
      return convert_row<kFrom, 3>(in, out, pixels);
    case 4:
      return convert_row<kFrom, 4>(in, out, pixels);
  }
}

// Gray is clipped, not scaled: Pillow takes its "I;16" for integers, and a value above 255 for
// white. The other modes, which Pillow has not, keep their high bytes, as its readers do.
Image narrow(const Image& image) {
  const Mode mode = static_cast<Mode>(static_cast<int>(image.mode()) - 4);
  Image result(mode, image.size());
  const std::uint8_t* in = image.pixels().data();
  std::uint8_t* out = result.pixels().data();
  const std::size_t samples = result.pixels().size();
  const bool clip = mode == Mode::kL;
  for (std::size_t i = 0; i < samples; ++i) {
    std::uint16_t sample;
    std::memcpy(&sample, in + 2 * i, 2);
    out[i] = static_cast<std::uint8_t>(clip ? std::min<int>(sample, 255) : sample >> 8);
  }
  return result;
}

}  // namespace

Image convert(Image image, Mode mode) {
  if (image.mode() == mode) return image;
  return converted(image, mode);
}

Image converted(const Image& image, Mode mode) {
  if (bytes_per_sample(image.mode()) == 2) return convert(narrow(image), mode);
  Image result(mode, image.size());
  if (image.mode() == mode) {
    std::copy(image.pixels().begin(), image.pixels().end(), result.pixels().begin());
    return result;
  }
  switch (num_channels(image.mode())) {
    case 1:
      convert_rows<1>(image, result);
      break;
    case 2:
      convert_rows<2>(image, result);
      break;
    case 3:
      convert_rows<3>(image, result);
      break;
    case 4:
      convert_rows<4>(image, result);
      break;
  }
  return result;
}

}  // namespace vecframe::image
