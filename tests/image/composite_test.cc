#include "image/composite.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace vecframe::image {
namespace {

// Every value under every alpha; Pillow's own word is asked in
// tests/python/test_image_expressions.py.
TEST(OnWhite, MixesByAlphaRoundedToTheNearest) {
  Image image(Mode::kLA, {256, 256});
  for (std::uint32_t y = 0; y < 256; ++y)
    for (std::uint32_t x = 0; x < 256; ++x) {
      image.row(y)[2 * x] = static_cast<std::uint8_t>(x);
      image.row(y)[2 * x + 1] = static_cast<std::uint8_t>(y);
    }
  const Image result = on_white(image);
  ASSERT_EQ(result.mode(), Mode::kL);
  for (int y = 0; y < 256; ++y)
    for (int x = 0; x < 256; ++x) {
      const double exact = (x * y + 255.0 * (255 - y)) / 255;
      EXPECT_LE(std::abs(result.row(static_cast<std::uint32_t>(y))[x] - exact), 0.5 + 1e-9);
    }
}

TEST(OnWhite, MixesEachColour) {
  Image image(Mode::kRGBA, {1, 1});
  const std::vector<std::uint8_t> pixel{10, 20, 30, 0};
  std::copy(pixel.begin(), pixel.end(), image.row(0));
  const Image clear = on_white(image);
  ASSERT_EQ(clear.mode(), Mode::kRGB);
  EXPECT_EQ(std::vector<std::uint8_t>(clear.row(0), clear.row(0) + 3),
            (std::vector<std::uint8_t>{255, 255, 255}));
  image.row(0)[3] = 255;
  const Image opaque = on_white(image);
  EXPECT_EQ(std::vector<std::uint8_t>(opaque.row(0), opaque.row(0) + 3),
            (std::vector<std::uint8_t>{10, 20, 30}));
}

TEST(OnWhite, LeavesPicturesWithoutAlphaAlone) {
  Image image(Mode::kRGB, {2, 1});
  std::fill(image.pixels().begin(), image.pixels().end(), std::uint8_t{9});
  const Image result = on_white(image);
  EXPECT_EQ(result.mode(), Mode::kRGB);
  EXPECT_TRUE(std::equal(result.pixels().begin(), result.pixels().end(), image.pixels().begin()));
  EXPECT_EQ(on_white(Image(Mode::kRGBA, {0, 0})).size(), (Size{0, 0}));
}

}  // namespace
}  // namespace vecframe::image
