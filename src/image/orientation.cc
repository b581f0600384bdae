#include "image/orientation.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace vecframe::image {
namespace {

template <int kBytes>
struct Pixel {
  std::uint8_t bytes[kBytes];
};

// Orientations 2, 3 and 4 keep the shape, so they are done in place.
template <int kBytes>
void mirror_rows(Image& image) {
  using P = Pixel<kBytes>;
  for (std::uint32_t y = 0; y < image.height(); ++y) {
    auto* row = reinterpret_cast<P*>(image.row(y));
    std::reverse(row, row + image.width());
  }
}

template <int kBytes>
void rotate_half(Image& image) {
  auto* pixels = reinterpret_cast<Pixel<kBytes>*>(image.pixels().data());
  std::reverse(pixels, pixels + std::size_t{image.width()} * image.height());
}

void flip_rows(Image& image) {
  for (std::uint32_t top = 0, bottom = image.height() - 1; top < bottom; ++top, --bottom) {
    std::swap_ranges(image.row(top), image.row(top) + image.row_bytes(), image.row(bottom));
  }
}

// out(x, y) = in(y or mirrored y, x or mirrored x). In square blocks, so that both pictures stay
// in the cache: rows of one are columns of the other.
template <int kBytes>
Image transpose(const Image& image, bool mirror_in_x, bool mirror_in_y) {
  using P = Pixel<kBytes>;
  constexpr std::uint32_t kBlock = 32;
  const std::uint32_t width = image.height(), height = image.width();
  Image result(image.mode(), {width, height});
  const auto* in = reinterpret_cast<const P*>(image.pixels().data());
  auto* out = reinterpret_cast<P*>(result.pixels().data());
  for (std::uint32_t y0 = 0; y0 < height; y0 += kBlock) {
    for (std::uint32_t x0 = 0; x0 < width; x0 += kBlock) {
      const std::uint32_t y1 = std::min(y0 + kBlock, height), x1 = std::min(x0 + kBlock, width);
      for (std::uint32_t y = y0; y < y1; ++y) {
        const std::size_t in_x = mirror_in_x ? height - 1 - y : y;
        P* row = out + std::size_t{y} * width;
        for (std::uint32_t x = x0; x < x1; ++x) {
          const std::size_t in_y = mirror_in_y ? width - 1 - x : x;
          row[x] = in[in_y * height + in_x];
        }
      }
    }
  }
  return result;
}

template <int kBytes>
Image turn(Image image, std::uint8_t orientation) {
  switch (orientation) {
    case 2:
      mirror_rows<kBytes>(image);
      return image;
    case 3:
      rotate_half<kBytes>(image);
      return image;
    case 4:
      flip_rows(image);
      return image;
    case 5:
      return transpose<kBytes>(image, /*mirror_in_x=*/false, /*mirror_in_y=*/false);
    case 6:
      return transpose<kBytes>(image, /*mirror_in_x=*/false, /*mirror_in_y=*/true);
    case 7:
      return transpose<kBytes>(image, /*mirror_in_x=*/true, /*mirror_in_y=*/true);
    case 8:
      return transpose<kBytes>(image, /*mirror_in_x=*/true, /*mirror_in_y=*/false);
    default:
      return image;
  }
}

}  // namespace

Size oriented_size(Size stored, std::uint8_t orientation) {
  if (orientation >= 5 && orientation <= 8) std::swap(stored.width, stored.height);
  return stored;
}

Image apply_orientation(Image image, std::uint8_t orientation) {
  if (orientation < 2 || orientation > 8 || image.pixels().empty()) return image;
  switch (bytes_per_pixel(image.mode())) {
    case 1:
      return turn<1>(std::move(image), orientation);
    case 2:
      return turn<2>(std::move(image), orientation);
    case 3:
      return turn<3>(std::move(image), orientation);
    case 4:
      return turn<4>(std::move(image), orientation);
    case 6:
      return turn<6>(std::move(image), orientation);
    case 8:
      return turn<8>(std::move(image), orientation);
  }
  return image;
}

}  // namespace vecframe::image
