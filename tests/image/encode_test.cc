#include "image/encode.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "allocation_meter.h"
#include "image/convert.h"
#include "image/decode.h"
#include "image/palette.h"
#include "pictures.h"

namespace vecframe::image {
namespace {

constexpr Mode kModes[] = {Mode::kL, Mode::kLA, Mode::kRGB, Mode::kRGBA};
constexpr Format kFormats[] = {Format::kJpeg, Format::kPng, Format::kWebp,
                               Format::kGif,  Format::kBmp, Format::kTiff};
constexpr Size kSizes[] = {{1, 1}, {1, 7}, {9, 1}, {2, 2}, {67, 61}, {300, 20}, {5, 1300}};

/// The picture of tools/make_golden_image_ops.py.
Image smooth_picture(Mode mode, Size size) {
  Image image(mode, size);
  const int channels = num_channels(mode);
  std::size_t at = 0;
  for (int y = 0; y < static_cast<int>(size.height); ++y)
    for (int x = 0; x < static_cast<int>(size.width); ++x)
      for (int c = 0; c < channels; ++c)
        image.pixels()[at++] =
            static_cast<std::uint8_t>(std::abs((x * (c + 2) + y * (5 - c)) % 510 - 255));
  return image;
}

std::vector<std::byte> encoded(const Image& image, const EncodeOptions& options) {
  auto result = encode(image, options);
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().to_string());
  return result.ok() ? std::move(result).value() : std::vector<std::byte>();
}

Image decoded(std::span<const std::byte> bytes, Format format) {
  const auto info = probe(bytes);
  EXPECT_TRUE(info.ok()) << (info.ok() ? "" : info.error().to_string());
  if (!info.ok()) return Image(Mode::kL, {0, 0});
  EXPECT_EQ(info->format, format);
  auto image = decode(bytes, *info);
  EXPECT_TRUE(image.ok()) << (image.ok() ? "" : image.error().to_string());
  return image.ok() ? std::move(image).value() : Image(Mode::kL, {0, 0});
}

Image round_trip(const Image& image, const EncodeOptions& options) {
  return decoded(encoded(image, options), options.format);
}

double mean_error(const Image& a, const Image& b) {
  EXPECT_EQ(a.mode(), b.mode());
  EXPECT_EQ(a.size(), b.size());
  if (a.pixels().size() != b.pixels().size()) return 255;
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels().size(); ++i)
    sum += std::abs(a.pixels()[i] - b.pixels()[i]);
  return sum / static_cast<double>(a.pixels().size());
}

TEST(Encode, LosslessFormatsKeepEverySample) {
  for (const Format format : {Format::kPng, Format::kTiff, Format::kBmp, Format::kWebp})
    for (const Mode mode : kModes)
      for (const Size size : kSizes) {
        SCOPED_TRACE(testing::Message() << to_string(format) << " " << to_string(mode) << " "
                                        << size.width << "x" << size.height);
        const Image image = lcg_picture(mode, size, 77);
        Image back = round_trip(image, {.format = format, .lossless = true});
        const bool widened = (format == Format::kWebp && num_channels(mode) <= 2) ||
                             (format == Format::kBmp && mode == Mode::kLA);
        EXPECT_TRUE(widened || back.mode() == mode);
        EXPECT_TRUE(same_pixels(convert(std::move(back), mode), image));
      }
}

TEST(Encode, PngTakesPicturesOfManyRowsAndOfLongOnes) {
  for (const Size size : {Size{100000, 1}, Size{1, 100000}}) {
    const Image image = lcg_picture(Mode::kRGB, size, 7);
    EXPECT_TRUE(same_pixels(round_trip(image, {.format = Format::kPng}), image));
  }
}

/// The reference's encoder has other transforms, but the same tables and sampling.
TEST(Encode, JpegIsAsGoodAndAsSmallAsTheReference) {
  const nlohmann::json golden = read_golden("image_ops.json").at("jpeg");
  ASSERT_EQ(golden.size(), 4u);
  for (const auto& row : golden) {
    const Image image =
        smooth_picture(static_cast<Mode>(row.at(0).get<int>()), {row.at(1), row.at(2)});
    const auto bytes = encoded(image, {.format = Format::kJpeg});
    EXPECT_LE(mean_error(decoded(bytes, Format::kJpeg), image), 1.02 * row.at(4).get<double>())
        << row.dump();
    EXPECT_LE(static_cast<double>(bytes.size()), 1.1 * row.at(3).get<double>()) << row.dump();
  }
}

TEST(Encode, LossyFormatsComeBackCloseAtEverySize) {
  for (const Format format : {Format::kJpeg, Format::kWebp})
    for (const Mode mode : kModes)
      for (const Size size : kSizes) {
        if (!can_encode(format, mode)) continue;
        const Image image = smooth_picture(mode, size);
        const Image back = convert(round_trip(image, {.format = format, .quality = 95}), mode);
        EXPECT_LT(mean_error(back, image), 6.0) << to_string(format) << " " << to_string(mode)
                                                << " " << size.width << "x" << size.height;
      }
}

TEST(Encode, QualityTradesSizeForError) {
  const Image image = smooth_picture(Mode::kRGB, {160, 120});
  for (const Format format : {Format::kJpeg, Format::kWebp}) {
    std::size_t last_size = 0;
    double last_error = 255;
    for (const int quality : {5, 50, 75, 98}) {
      const auto bytes = encoded(image, {.format = format, .quality = quality});
      const double error = mean_error(decoded(bytes, format), image);
      EXPECT_GT(bytes.size(), last_size) << to_string(format) << " " << quality;
      EXPECT_LT(error, last_error) << to_string(format) << " " << quality;
      last_size = bytes.size();
      last_error = error;
    }
    EXPECT_EQ(encoded(image, {.format = format}),
              encoded(image, {.format = format, .quality = 75}));
    EXPECT_EQ(encoded(image, {.format = format, .quality = 1000}),
              encoded(image, {.format = format, .quality = 100}));
  }
}

TEST(Encode, WebpWithoutTransparencyDecodesWithoutAlpha) {
  Image image = lcg_picture(Mode::kRGBA, {8, 8}, 3);
  for (std::size_t i = 3; i < image.pixels().size(); i += 4) image.pixels()[i] = 255;
  Image back = round_trip(image, {.format = Format::kWebp, .lossless = true});
  EXPECT_EQ(back.mode(), Mode::kRGB);
  EXPECT_TRUE(same_pixels(convert(std::move(back), Mode::kRGBA), image));
}

TEST(Encode, GifKeepsGraysAndFewColours) {
  for (const Size size : kSizes) {
    const Image gray = lcg_picture(Mode::kL, size, 5);
    EXPECT_TRUE(same_pixels(round_trip(gray, {.format = Format::kGif}), gray));
    Image few = lcg_picture(Mode::kRGB, size, 6);  // 6 x 6 x 6 levels
    for (std::uint8_t& byte : few.pixels()) byte = static_cast<std::uint8_t>(byte % 6 * 51);
    EXPECT_TRUE(same_pixels(convert(round_trip(few, {.format = Format::kGif}), Mode::kRGB), few));
  }
}

TEST(Encode, GifReducesManyColours) {
  const Image image = smooth_picture(Mode::kRGB, {160, 120});
  const Image back = round_trip(image, {.format = Format::kGif});
  EXPECT_EQ(back.mode(), Mode::kRGB);
  EXPECT_LT(mean_error(back, image), 5.0);  // the reference: 5.13, Pillow without dither: 4.88
  const Image noise = lcg_picture(Mode::kRGB, {160, 120}, 9);
  EXPECT_LT(mean_error(round_trip(noise, {.format = Format::kGif}), noise), 18.0);
}

TEST(Encode, GifTransparencyIsOnOrOff) {
  for (const Mode mode : {Mode::kLA, Mode::kRGBA})
    for (const std::uint8_t step : {1, 64}) {  // many colours, and few
      Image image = lcg_picture(mode, {67, 61}, 9);
      const auto channels = static_cast<std::size_t>(num_channels(mode));
      auto pixels = image.pixels();
      for (std::size_t i = 0; i < pixels.size(); ++i) {
        const bool alpha = i % channels == channels - 1;
        pixels[i] =
            static_cast<std::uint8_t>(alpha ? pixels[i] % 3 * 100 : pixels[i] / step * step);
      }
      const Image back = round_trip(image, {.format = Format::kGif});
      ASSERT_EQ(back.mode(), Mode::kRGBA);
      for (std::size_t i = 0; i < pixels.size() / channels; ++i) {
        const bool clear = pixels[i * channels + channels - 1] == 0;
        ASSERT_EQ(back.pixels()[4 * i + 3], clear ? 0 : 255);
        if (step == 64 && !clear) {
          ASSERT_EQ(back.pixels()[4 * i], pixels[i * channels]);
        }
      }
    }
}

TEST(Encode, GifOfClearPixelsAlone) {
  Image image(Mode::kRGBA, {3, 3});
  std::ranges::fill(image.pixels(), 0);
  const Image back = round_trip(image, {.format = Format::kGif});
  ASSERT_EQ(back.mode(), Mode::kRGBA);
  EXPECT_TRUE(std::ranges::all_of(back.pixels(), [](std::uint8_t byte) { return byte == 0; }));
}

TEST(Palette, ExactlyAsManyColoursAsThereIsRoomForAreKept) {
  for (const std::uint32_t colours : {1u, 2u, 255u, 256u, 257u}) {
    Image image(Mode::kRGB, {colours, 2});
    const auto pixels = image.pixels();
    for (std::size_t i = 0; i < 2 * std::size_t{colours}; ++i) {
      const std::size_t colour = i % colours;
      pixels[3 * i] = static_cast<std::uint8_t>(colour);
      pixels[3 * i + 1] = static_cast<std::uint8_t>(colour / 256);
      pixels[3 * i + 2] = static_cast<std::uint8_t>(255 - colour % 256);
    }
    const IndexedImage reduced = reduce_to_palette(image);
    EXPECT_LE(reduced.palette.size(), 256u);
    EXPECT_EQ(reduced.transparent, -1);
    if (colours > 256) continue;
    EXPECT_EQ(reduced.palette.size(), colours);
    for (std::size_t i = 0; i < reduced.indices.size(); ++i)
      for (std::size_t c = 0; c < 3; ++c)
        ASSERT_EQ(reduced.palette[reduced.indices[i]][c], pixels[3 * i + c]);
  }
}

void expect_refused(const Image& image, Format format, const std::string& part) {
  const auto result = encode(image, {.format = format});
  ASSERT_FALSE(result.ok()) << to_string(format) << " " << part;
  EXPECT_EQ(result.error().stage, Stage::kPrepare);
  EXPECT_EQ(result.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
}

TEST(Encode, RefusesWhatAFormatCannotHold) {
  expect_refused(lcg_picture(Mode::kRGBA, {4, 4}, 1), Format::kJpeg, "no alpha");
  expect_refused(lcg_picture(Mode::kLA, {4, 4}, 1), Format::kJpeg, "no alpha");
  expect_refused(lcg_picture(Mode::kL, {65501, 1}, 1), Format::kJpeg, "65501x1");
  expect_refused(lcg_picture(Mode::kRGB, {1, 16384}, 1), Format::kWebp, "1x16384");
  expect_refused(lcg_picture(Mode::kL, {65536, 1}, 1), Format::kGif, "no room");
  for (const Format format : kFormats) {
    expect_refused(Image(Mode::kRGB, {0, 0}), format, "no pixels");
    expect_refused(lcg_picture(Mode::kRGB16, {2, 2}, 1), format, "8-bit");
    EXPECT_EQ(encode_bytes(Mode::kRGB16, {2, 2}, {.format = format}), 0u);
  }
}

TEST(Encode, TakesTheLongestSides) {
  const Image jpeg = smooth_picture(Mode::kL, {65500, 1});
  EXPECT_EQ(round_trip(jpeg, {.format = Format::kJpeg}).size(), jpeg.size());
  const Image webp = lcg_picture(Mode::kRGB, {1, 16383}, 1);
  EXPECT_TRUE(same_pixels(round_trip(webp, {.format = Format::kWebp, .lossless = true}), webp));
  const Image gif = lcg_picture(Mode::kL, {65535, 1}, 1);
  EXPECT_TRUE(same_pixels(round_trip(gif, {.format = Format::kGif}), gif));
}

TEST(Encode, MemoryIsBounded) {
  if (!can_meter_allocations()) GTEST_SKIP() << "a sanitizer has a malloc of its own";
  for (const Size size : {Size{1, 1}, Size{120, 90}, Size{700, 500}, Size{3, 9000}})
    for (const Mode mode : kModes)
      for (const Format format : kFormats)
        for (const bool lossless : {false, true})
          for (const bool noise : {false, true}) {
            if (!can_encode(format, mode) || (lossless && format != Format::kWebp)) continue;
            const Image image = noise ? lcg_picture(mode, size, 3) : smooth_picture(mode, size);
            const EncodeOptions options{format, 100, lossless};
            const AllocationMeter meter;
            const auto bytes = encode(image, options);
            const std::int64_t peak = meter.peak();
            ASSERT_TRUE(bytes.ok()) << bytes.error().to_string();
            EXPECT_LE(peak, static_cast<std::int64_t>(encode_bytes(mode, size, options)))
                << to_string(format) << " " << to_string(mode) << " " << size.width << "x"
                << size.height << (lossless ? " lossless" : "") << (noise ? " noise" : "");
          }
}

}  // namespace
}  // namespace vecframe::image
