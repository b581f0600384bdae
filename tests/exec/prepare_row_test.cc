#include "exec/prepare_row.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <span>
#include <vector>

#include "colour_embedder.h"
#include "image/encode.h"
#include "picture_files.h"

namespace vecframe::exec {
namespace {

TEST(PrepareRowTest, DecodesToRgb) {
  const std::string file = bmp_bytes(5, 3, {10, 20, 30});
  const auto bytes = std::as_bytes(std::span(file.data(), file.size()));
  const auto info = image::probe(bytes);
  ASSERT_TRUE(info);
  const auto rgb = decode_rgb(bytes, *info, true);
  ASSERT_TRUE(rgb);
  EXPECT_EQ(rgb->mode(), image::Mode::kRGB);
  EXPECT_EQ(rgb->size(), (image::Size{5, 3}));
  for (std::size_t i = 0; i < rgb->pixels().size(); ++i) {
    EXPECT_EQ(rgb->pixels()[i], 10 + 10 * (i % 3));
  }
}

TEST(WorkingBytesTest, CoversEachStep) {
  image::ImageInfo info;
  info.format = image::Format::kPng;
  info.size = {1000, 500};
  info.mode = image::Mode::kRGB;
  info.decode_bytes = 1500000;
  const auto spec = colour_spec();
  const auto prepare = static_cast<std::int64_t>(image::prepare_bytes(spec, info.size));
  EXPECT_EQ(working_bytes(info, spec, true), 1500000 + prepare);
  info.decode_bytes = 9000000;
  EXPECT_EQ(working_bytes(info, spec, true), 9000000);

  info.decode_bytes = 1500000;
  info.orientation = 6;
  EXPECT_GE(working_bytes(info, spec, true), 3000000);
  EXPECT_EQ(working_bytes(info, spec, false), 1500000 + prepare);

  info.orientation = 1;
  info.mode = image::Mode::kRGBA16;  // 4 MB, and 1.5 as RGB
  EXPECT_GE(working_bytes(info, spec, true), 5500000);
}

image::Image colourful(image::Mode mode, image::Size size) {
  image::Image picture(mode, size);
  std::uint32_t state = 1;
  for (auto& byte : picture.pixels())
    byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  return picture;
}

std::vector<std::byte> jpeg_of(image::Mode mode, std::uint8_t orientation) {
  std::vector<std::byte> jpeg =
      image::encode(colourful(mode, {61, 43}), {image::Format::kJpeg, 90}).value();
  const std::array<std::uint8_t, 36> exif{
      0xFF, 0xE1, 0,    34, 'E', 'x', 'i', 'f', 0, 0, 'I',         'I', 42, 0, 8, 0, 0, 0,
      1,    0,    0x12, 1,  3,   0,   1,   0,   0, 0, orientation, 0,   0,  0, 0, 0, 0, 0};
  const auto* begin = reinterpret_cast<const std::byte*>(exif.data());
  jpeg.insert(jpeg.begin() + 2, begin, begin + exif.size());
  return jpeg;
}

TEST(PrepareRowTest, GivesTheSlotOfTheWholePicture) {
  for (const image::Mode mode : {image::Mode::kRGB, image::Mode::kL})
    for (const std::uint8_t orientation : {1, 3, 6})
      for (const bool turn : {false, true}) {
        const auto bytes = jpeg_of(mode, orientation);
        const auto info = image::probe(bytes);
        ASSERT_TRUE(info);
        ASSERT_EQ(info->orientation, orientation);
        const auto spec = colour_spec();
        std::vector<std::uint8_t> want(spec.slot_bytes()), got(spec.slot_bytes());
        ASSERT_TRUE(image::prepare(spec, *decode_rgb(bytes, *info, turn), want));
        ASSERT_TRUE(prepare_row(bytes, *info, spec, turn, got));
        EXPECT_EQ(got, want) << orientation << turn;

        const auto half = std::span(bytes).first(bytes.size() / 2);
        const Status status = prepare_row(half, *info, spec, turn, got);
        ASSERT_FALSE(status);
        EXPECT_EQ(status.error().to_string(), decode_rgb(half, *info, turn).error().to_string());
      }
}

TEST(WorkingBytesTest, ThatAreDecodedByRowsNeedNoPicture) {
  image::ImageInfo info;
  info.format = image::Format::kJpeg;
  info.mode = image::Mode::kRGB;
  info.size = {4000, 3000};
  info.decode_bytes = 36000000 + 1000000;
  EXPECT_LT(working_bytes(info, colour_spec(), true), 3000000);
  info.orientation = 6;
  EXPECT_GE(working_bytes(info, colour_spec(), true), 72000000);
  EXPECT_LT(working_bytes(info, colour_spec(), false), 3000000);
  info.orientation = 1;
  info.mode = image::Mode::kL;
  EXPECT_GE(working_bytes(info, colour_spec(), true), 37000000);
}

TEST(WorkingBytesTest, DoesNotOverflow) {
  image::ImageInfo info;
  constexpr auto kMost = std::numeric_limits<std::uint32_t>::max();
  info.size = {kMost, kMost};
  info.decode_bytes = std::numeric_limits<std::uint64_t>::max();
  info.orientation = 8;
  EXPECT_GT(working_bytes(info, colour_spec(), true), std::int64_t{1} << 60);
}

}  // namespace
}  // namespace vecframe::exec
