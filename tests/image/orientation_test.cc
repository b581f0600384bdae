#include "image/orientation.h"

#include <gtest/gtest.h>

#include <cstring>
#include <utility>

namespace vecframe::image {
namespace {

Image numbered(Mode mode, Size size) {
  Image image(mode, size);
  std::size_t i = 0;
  for (auto& byte : image.pixels()) {
    byte = static_cast<std::uint8_t>(i * 7 + i / 251);
    ++i;
  }
  return image;
}

// Where the upright picture's pixel (x, y) is stored, from the EXIF standard's table of what the
// stored 0th row and column are.
std::pair<std::uint32_t, std::uint32_t> stored_at(std::uint32_t x, std::uint32_t y, Size stored,
                                                  int orientation) {
  const std::uint32_t right = stored.width - 1, bottom = stored.height - 1;
  switch (orientation) {
    case 2:
      return {right - x, y};
    case 3:
      return {right - x, bottom - y};
    case 4:
      return {x, bottom - y};
    case 5:
      return {y, x};
    case 6:
      return {y, bottom - x};
    case 7:
      return {right - y, bottom - x};
    case 8:
      return {right - y, x};
    default:
      return {x, y};
  }
}

TEST(ApplyOrientation, MovesEveryPixelToItsPlace) {
  for (const Mode mode :
       {Mode::kL, Mode::kLA, Mode::kRGB, Mode::kRGBA, Mode::kL16, Mode::kRGB16, Mode::kRGBA16}) {
    for (const Size size : {Size{1, 1}, Size{1, 5}, Size{4, 1}, Size{3, 2}, Size{65, 37}}) {
      const Image stored = numbered(mode, size);
      for (std::uint8_t orientation = 0; orientation <= 9; ++orientation) {
        SCOPED_TRACE(testing::Message() << to_string(mode) << ' ' << size.width << 'x'
                                        << size.height << " orientation " << int{orientation});
        const Image upright = apply_orientation(numbered(mode, size), orientation);
        ASSERT_EQ(upright.size(), oriented_size(size, orientation));
        const auto bytes = static_cast<std::size_t>(bytes_per_pixel(mode));
        for (std::uint32_t y = 0; y < upright.height(); ++y) {
          for (std::uint32_t x = 0; x < upright.width(); ++x) {
            const auto [from_x, from_y] = stored_at(x, y, size, orientation);
            ASSERT_EQ(
                std::memcmp(upright.row(y) + x * bytes, stored.row(from_y) + from_x * bytes, bytes),
                0)
                << x << ',' << y;
          }
        }
      }
    }
  }
}

TEST(ApplyOrientation, UprightPicturesAreNotCopied) {
  Image image = numbered(Mode::kRGB, {8, 8});
  const auto* pixels = image.pixels().data();
  EXPECT_EQ(apply_orientation(std::move(image), 1).pixels().data(), pixels);
}

}  // namespace
}  // namespace vecframe::image
