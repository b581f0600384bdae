#include "image/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace vecframe::image {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;

Image picture(Mode mode, const std::vector<std::uint8_t>& bytes) {
  const auto pixel = static_cast<std::size_t>(bytes_per_pixel(mode));
  Image image(mode, {static_cast<std::uint32_t>(bytes.size() / pixel), 1});
  std::copy(bytes.begin(), bytes.end(), image.pixels().begin());
  return image;
}

std::vector<std::uint8_t> converted(Mode from, const std::vector<std::uint8_t>& bytes, Mode to) {
  const Image image = convert(picture(from, bytes), to);
  EXPECT_EQ(image.mode(), to);
  return {image.pixels().begin(), image.pixels().end()};
}

TEST(Convert, DropsAlphaWithoutCompositing) {
  EXPECT_THAT(converted(Mode::kRGBA, {1, 2, 3, 0, 4, 5, 6, 255}, Mode::kRGB),
              ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(converted(Mode::kLA, {9, 0, 8, 128}, Mode::kRGB), ElementsAre(9, 9, 9, 8, 8, 8));
}

TEST(Convert, AddsOpaqueAlphaAndKeepsTheOneThereIs) {
  EXPECT_THAT(converted(Mode::kRGB, {1, 2, 3}, Mode::kRGBA), ElementsAre(1, 2, 3, 255));
  EXPECT_THAT(converted(Mode::kL, {7}, Mode::kLA), ElementsAre(7, 255));
  EXPECT_THAT(converted(Mode::kLA, {7, 3}, Mode::kRGBA), ElementsAre(7, 7, 7, 3));
  EXPECT_THAT(converted(Mode::kRGBA, {10, 10, 10, 3}, Mode::kLA), ElementsAre(10, 3));
}

// From Pillow 13: Image.new("RGB", (1, 1), colour).convert("L").
TEST(Convert, LumaIsThatOfPillow) {
  EXPECT_THAT(
      converted(Mode::kRGB, {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 1, 2, 3, 200, 100, 50},
                Mode::kL),
      ElementsAre(76, 150, 29, 255, 2, 124));
}

// From Pillow 13, whose "I;16" holds integers: what is above 255 is white.
TEST(Convert, SixteenBitGrayIsClipped) {
  const std::vector<std::uint16_t> samples = {0, 1, 127, 255, 256, 257, 32768, 65535};
  std::vector<std::uint8_t> bytes(samples.size() * 2);
  std::memcpy(bytes.data(), samples.data(), bytes.size());
  EXPECT_THAT(converted(Mode::kL16, bytes, Mode::kL),
              ElementsAreArray({0, 1, 127, 255, 255, 255, 255, 255}));
  EXPECT_EQ(converted(Mode::kL16, bytes, Mode::kRGB).size(), 24u);
}

TEST(Convert, TheSameModeIsNotCopied) {
  Image image = picture(Mode::kRGB, {1, 2, 3});
  const auto* pixels = image.pixels().data();
  EXPECT_EQ(convert(std::move(image), Mode::kRGB).pixels().data(), pixels);
}

}  // namespace
}  // namespace vecframe::image
