#include "image/convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "pictures.h"

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

// Every pair of modes, against Pillow and against the reference dataframe; see
// tools/make_golden_image_ops.py. Those two differ where colours become gray, and there alone.
TEST(Convert, EqualsPillowAndButForLumaTheReference) {
  const nlohmann::json golden = read_golden("image_ops.json").at("convert");
  ASSERT_EQ(golden.size(), 16u);
  for (const auto& row : golden) {
    const int from = row.at(0), to = row.at(1);
    const Image image =
        convert(lcg_picture(static_cast<Mode>(from), {row.at(2), row.at(3)}, row.at(4)), Mode(to));
    EXPECT_EQ(image.mode(), Mode(to));
    EXPECT_EQ(crc32_of(image.pixels()), row.at(6)) << row.dump();
    const bool luma = from >= 3 && to <= 2;
    EXPECT_EQ(crc32_of(image.pixels()) != row.at(5), luma) << row.dump();
  }
}

// Pillow's luma is that of ITU-R 601, the reference's that of ITU-R 709: they lie up to 33 apart.
TEST(Convert, LumaLiesWithin33OfTheReference) {
  const nlohmann::json golden = read_golden("image_ops.json").at("luma");
  ASSERT_GT(golden.size(), 300u);
  int largest = 0;
  for (const auto& row : golden) {
    const std::vector<std::uint8_t> gray =
        converted(Mode::kRGB, {row.at(0), row.at(1), row.at(2)}, Mode::kL);
    EXPECT_EQ(gray.at(0), row.at(4)) << row.dump();
    largest = std::max(largest, std::abs(gray.at(0) - row.at(3).get<int>()));
  }
  EXPECT_EQ(largest, 33);
}

TEST(Convert, OddSizesAndNone) {
  for (const Size size : {Size{1, 1}, Size{1, 7}, Size{7, 1}, Size{0, 0}})
    for (const Mode from : {Mode::kL, Mode::kLA, Mode::kRGB, Mode::kRGBA})
      for (const Mode to : {Mode::kL, Mode::kLA, Mode::kRGB, Mode::kRGBA})
        EXPECT_EQ(convert(lcg_picture(from, size, 5), to).size(), size);
}

TEST(Convert, TheSameModeIsNotCopied) {
  Image image = picture(Mode::kRGB, {1, 2, 3});
  const auto* pixels = image.pixels().data();
  EXPECT_EQ(convert(std::move(image), Mode::kRGB).pixels().data(), pixels);
}

}  // namespace
}  // namespace vecframe::image
