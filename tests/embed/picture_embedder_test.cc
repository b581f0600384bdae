#include "embed/picture_embedder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>

namespace vecframe::embed {
namespace {

image::Image counted(image::Mode mode) {
  image::Image image(mode, {3, 2});
  std::uint8_t value = 0;
  for (std::uint8_t& sample : image.pixels()) sample = value++;
  return image;
}

TEST(PictureOfAnEmbedder, KeepsItsPixelsAsLongAsItsOwner) {
  const image::Image original = counted(image::Mode::kRGBA);
  std::span<const std::uint8_t> pixels;
  std::shared_ptr<const void> owner;
  {
    const Picture picture = to_picture(counted(image::Mode::kRGBA));
    EXPECT_EQ(picture.width, 3u);
    EXPECT_EQ(picture.height, 2u);
    EXPECT_EQ(picture.channels, 4);
    pixels = picture.pixels;
    owner = picture.owner;
  }
  EXPECT_TRUE(std::ranges::equal(pixels, original.pixels()));
}

TEST(PictureOfAnEmbedder, BecomesAnImageOfTheSameModeAndPixels) {
  for (const image::Mode mode :
       {image::Mode::kL, image::Mode::kLA, image::Mode::kRGB, image::Mode::kRGBA}) {
    const image::Image copy = to_image(to_picture(counted(mode)));
    EXPECT_EQ(copy.mode(), mode);
    EXPECT_EQ(copy.size(), (image::Size{3, 2}));
    EXPECT_TRUE(std::ranges::equal(copy.pixels(), counted(mode).pixels()));
  }
}

}  // namespace
}  // namespace vecframe::embed
