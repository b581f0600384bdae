#include "image/reduce.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "image/convert.h"
#include "image/decode.h"
#include "image/fit.h"
#include "image/orientation.h"
#include "image/prepare.h"
#include "image/resize_window.h"
#include "jpeg_file.h"
#include "pictures.h"

namespace vecframe::image {
namespace {

using testing::HasSubstr;

const std::vector<JpegCoding> kCodings{
    {"4:4:4"},
    {"4:2:0", JCS_RGB, JCS_YCbCr, 3, 2},
    {"progressive", JCS_RGB, JCS_YCbCr, 3, 2, true},
    {"gray", JCS_GRAYSCALE, JCS_GRAYSCALE, 1},
    {"progressive gray", JCS_GRAYSCALE, JCS_GRAYSCALE, 1, 1, true},
    {"CMYK", JCS_CMYK, JCS_CMYK, 4},
    {"YCCK", JCS_CMYK, JCS_YCCK, 4, 2},
};

// Slopes, and waves that are short enough to be gone at an eighth.
std::vector<std::byte> jpeg_of(JpegCoding coding, Size size) {
  coding.quality = 92;
  return jpeg_file(coding, size, [&](std::uint32_t y, std::span<std::uint8_t> row) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      const auto x = static_cast<double>(i / static_cast<std::size_t>(coding.components));
      const auto c = static_cast<double>(i % static_cast<std::size_t>(coding.components));
      const double slope = (x / size.width + y * (c + 1) / size.height / 3) / 2;
      row[i] = static_cast<std::uint8_t>(40 + 150 * slope + 12 * std::sin(x * 1.3 + c));
    }
  });
}

ImageInfo probed(const std::vector<std::byte>& bytes) {
  auto info = probe(bytes);
  EXPECT_TRUE(info.ok()) << info.error().to_string();
  return *info;
}

// Reduced as far as `eighths` says.
ImageInfo info_at(const std::vector<std::byte>& bytes, std::uint8_t eighths) {
  const ImageInfo info = reduced(probed(bytes), kReducedDetail * 8 / eighths);
  EXPECT_EQ(info.eighths, eighths);
  return info;
}

TEST(Reduced, IsTheSmallestThatKeepsTwiceTheDetail) {
  ImageInfo info;
  info.size = {4000, 3000};
  info.decode_bytes = 100;
  info.reduced_bytes = {40, 20, 10};
  const auto eighths = [&](double shrink) { return int{reduced(info, shrink).eighths}; };
  EXPECT_EQ(eighths(0.1), 8);
  EXPECT_EQ(eighths(1), 8);
  EXPECT_EQ(eighths(3.99), 8);
  EXPECT_EQ(eighths(4), 4);
  EXPECT_EQ(eighths(7.99), 4);
  EXPECT_EQ(eighths(8), 2);
  EXPECT_EQ(eighths(15.99), 2);
  EXPECT_EQ(eighths(16), 1);
  EXPECT_EQ(eighths(std::numeric_limits<double>::infinity()), 1);
  EXPECT_EQ(reduced(info, 1).decode_bytes, 100u);
  EXPECT_EQ(reduced(info, 4).decode_bytes, 40u);
  EXPECT_EQ(reduced(info, 100).decode_bytes, 10u);
  EXPECT_EQ(reduced(info, 100).size, info.size) << "what the file is stays known";
}

TEST(Reduced, OtherFormatsAreNot) {
  for (const Format format :
       {Format::kPng, Format::kWebp, Format::kGif, Format::kBmp, Format::kTiff}) {
    ImageInfo info;
    info.format = format;
    info.size = {40000, 3000};
    info.decode_bytes = 7;
    const ImageInfo same = reduced(info, 1000);
    EXPECT_EQ(same.eighths, 8);
    EXPECT_EQ(same.decoded_size(), info.size);
    EXPECT_EQ(same.decode_bytes, 7u);
  }
}

TEST(Reduced, OddSidesAreRoundedUp) {
  for (const std::uint32_t side : {1u, 2u, 7u, 8u, 9u, 15u, 17u, 63u, 65u, 127u}) {
    for (const JpegCoding& coding : kCodings) {
      const auto bytes = jpeg_of(coding, {side, 130 - side});
      for (const std::uint8_t eighths : {std::uint8_t{4}, std::uint8_t{2}, std::uint8_t{1}}) {
        SCOPED_TRACE(std::string(coding.name) + ", " + std::to_string(side) + " at " +
                     std::to_string(eighths));
        const auto image = decode(bytes, info_at(bytes, eighths));
        ASSERT_TRUE(image.ok()) << image.error().to_string();
        EXPECT_EQ(image->width(), (side * eighths + 7) / 8);
        EXPECT_EQ(image->height(), ((130 - side) * eighths + 7) / 8);
      }
    }
  }
}

// Against the whole picture averaged over squares.
TEST(Reduced, ShowsTheSamePicture) {
  for (const JpegCoding& coding : kCodings) {
    const auto bytes = jpeg_of(coding, {320, 240});
    const auto whole = decode(bytes, probed(bytes));
    ASSERT_TRUE(whole.ok());
    for (const std::uint8_t eighths : {std::uint8_t{4}, std::uint8_t{2}, std::uint8_t{1}}) {
      SCOPED_TRACE(std::string(coding.name) + " at " + std::to_string(eighths));
      const ImageInfo info = info_at(bytes, eighths);
      const auto image = decode(bytes, info);
      ASSERT_TRUE(image.ok()) << image.error().to_string();
      EXPECT_EQ(image->mode(), info.mode);
      const Image averaged =
          resize(*whole, info.decoded_size(), Filter::kBox, Resampler::kPillow13);
      double sum = 0;
      int most = 0;
      for (std::size_t i = 0; i < image->pixels().size(); ++i) {
        const int difference = std::abs(int{image->pixels()[i]} - int{averaged.pixels()[i]});
        sum += difference;
        most = std::max(most, difference);
      }
      EXPECT_LT(sum / static_cast<double>(image->pixels().size()), 2.5);
      EXPECT_LT(most, 20);
    }
  }
}

TEST(Reduced, IsTheWholePictureWhereItIsTooSmallToProfit) {
  PrepareSpec spec;
  spec.resize = ResizeRule::kShortestEdge;
  spec.shortest_edge = 32;
  for (const JpegCoding& coding : kCodings) {
    const auto bytes = jpeg_of(coding, {200, 127});  // 3.97 times
    const ImageInfo info = reduced(probed(bytes), shrink_of(spec, {200, 127}));
    const auto whole = decode(bytes, probed(bytes)), fast = decode(bytes, info);
    ASSERT_TRUE(whole.ok() && fast.ok());
    EXPECT_TRUE(same_pixels(*whole, *fast)) << coding.name;
  }
}

TEST(Reduced, TruncatedAndBrokenFilesAreWhatTheyAreWhole) {
  for (const JpegCoding& coding : kCodings) {
    const auto bytes = jpeg_of(coding, {120, 90});
    for (std::size_t length = 0; length < bytes.size(); length += 1 + bytes.size() / 60) {
      auto part = bytes;
      part.resize(length);
      auto bent = bytes;
      bent[length] ^= std::byte{0x5A};
      for (const auto& file : {part, bent}) {
        const auto info = probe(file);
        if (!info.ok()) continue;
        const auto whole = decode(file, *info);
        for (const double shrink : {4.0, 8.0, 16.0}) {
          const auto fast = decode(file, reduced(*info, shrink));
          ASSERT_EQ(fast.ok(), whole.ok()) << coding.name << " at byte " << length;
          if (!fast.ok()) {
            EXPECT_EQ(fast.error().to_string(), whole.error().to_string());
          }
        }
      }
    }
  }
}

// ---- What follows decides: shrink_of() and shrink_to_fit().

PrepareSpec spec_of(ResizeRule rule, std::uint32_t height, std::uint32_t width) {
  PrepareSpec spec;
  spec.resize = rule;
  spec.resize_height = height;
  spec.resize_width = width;
  spec.shortest_edge = height;
  return spec;
}

TEST(ShrinkOf, IsThatOfTheSideThatShrinksLess) {
  const Size size{4000, 3000};
  EXPECT_DOUBLE_EQ(shrink_of(spec_of(ResizeRule::kExact, 300, 1000), size), 4);
  EXPECT_DOUBLE_EQ(shrink_of(spec_of(ResizeRule::kShortestEdge, 300, 0), size), 10);
  EXPECT_DOUBLE_EQ(shrink_of(spec_of(ResizeRule::kCover, 300, 200), size), 10);
  EXPECT_DOUBLE_EQ(shrink_of(spec_of(ResizeRule::kFit, 300, 200), size), 20);
  EXPECT_DOUBLE_EQ(shrink_of(spec_of(ResizeRule::kNone, 0, 0), size), 1);
  EXPECT_LT(shrink_of(spec_of(ResizeRule::kExact, 300, 300), Size{30, 30}), 1);
  PrepareSpec square = spec_of(ResizeRule::kCentreSquare, 300, 300);
  square.square_fraction = 0.5;
  EXPECT_DOUBLE_EQ(shrink_of(square, size), 5);
  PrepareSpec patches;
  patches.resize = ResizeRule::kPatches;
  patches.patch = 10;
  patches.max_patches = 12;
  EXPECT_GE(shrink_of(patches, size), 75);
  PrepareSpec nearest = spec_of(ResizeRule::kExact, 30, 30);
  nearest.filter = Filter::kNearest;
  EXPECT_DOUBLE_EQ(shrink_of(nearest, size), 1) << "takes pixels as they are";
  EXPECT_DOUBLE_EQ(shrink_of(spec_of(ResizeRule::kShortestEdge, 300, 0), Size{1, 4'000'000'000}), 1)
      << "is refused whole";
}

TEST(ShrinkToFit, IsThatOfTheFit) {
  const Size size{4000, 3000}, wanted{1000, 300};
  const auto shrink = [&](Fit fit) { return shrink_to_fit(size, wanted, fit, Filter::kBilinear); };
  EXPECT_DOUBLE_EQ(shrink(Fit::kFill), 4);
  EXPECT_DOUBLE_EQ(shrink(Fit::kInside), 10);
  EXPECT_DOUBLE_EQ(shrink(Fit::kContain), 10);
  EXPECT_DOUBLE_EQ(shrink(Fit::kCover), 4);
  EXPECT_DOUBLE_EQ(shrink_to_fit(size, wanted, Fit::kFill, Filter::kNearest), 1);
  EXPECT_DOUBLE_EQ(shrink_to_fit({0, 3}, wanted, Fit::kFill, Filter::kBox), 1);
  EXPECT_DOUBLE_EQ(shrink_to_fit({1, 1u << 30}, {4, 4}, Fit::kCover, Filter::kBox), 1);
}

// ---- Geometry is that of the whole picture.

TEST(ReducedGeometry, ResizedPicturesHaveTheSizeOfTheWholeOnes) {
  // 1001x333 at a quarter is 251x84, whose shape is another one.
  const Image part = lcg_picture(Mode::kRGB, {251, 84}, 5);
  for (const Fit fit : {Fit::kFill, Fit::kContain, Fit::kCover, Fit::kInside}) {
    const auto whole = resize_to_fit(lcg_picture(Mode::kRGB, {1001, 333}, 5), {97, 60}, fit);
    const auto small = resize_to_fit(part, {97, 60}, fit, Filter::kBilinear, Resampler::kImageRs,
                                     Whole{{1001, 333}, 4});
    ASSERT_TRUE(whole.ok() && small.ok());
    EXPECT_EQ(small->size(), whole->size());
  }
}

// A white cross on black comes to the same place, whatever the crop does.
TEST(ReducedGeometry, CropsKeepTheSamePart) {
  const auto barred = [](Size size) {
    Image image(Mode::kRGB, size);
    for (std::uint32_t y = 0; y < size.height; ++y)
      for (std::uint32_t x = 0; x < size.width; ++x)
        for (int c = 0; c < 3; ++c)
          image.row(y)[3 * x + static_cast<std::uint32_t>(c)] =
              x * 8 / size.width == 5 || y * 8 / size.height == 4 ? 250 : 5;
    return image;
  };
  for (const ResizeRule rule : {ResizeRule::kExact, ResizeRule::kShortestEdge, ResizeRule::kCover,
                                ResizeRule::kCentreSquare}) {
    PrepareSpec spec = spec_of(rule, 48, 48);
    if (rule == ResizeRule::kCentreSquare) spec.square_fraction = 0.6;
    if (rule != ResizeRule::kCentreSquare) {
      spec.crop = CropRule::kTorchvision;
      spec.crop_height = spec.crop_width = 40;
    }
    std::vector<std::uint8_t> whole(spec.slot_bytes()), small(spec.slot_bytes());
    ASSERT_TRUE(prepare(spec, barred({1600, 960}), whole).ok());
    ASSERT_TRUE(prepare(spec, barred({200, 120}), small, Whole{{1600, 960}, 8}).ok());
    double sum = 0;
    for (std::size_t i = 0; i < whole.size(); ++i) sum += std::abs(whole[i] - small[i]);
    EXPECT_LT(sum / static_cast<double>(whole.size()), 4.0) << static_cast<int>(rule);
  }
}

TEST(ReducedGeometry, WhatIsRefusedWholeIsRefusedReduced) {
  PrepareSpec spec;
  spec.resize = ResizeRule::kCover;
  spec.resize_height = spec.resize_width = 1;
  spec.crop = CropRule::kTorchvision;
  spec.crop_height = spec.crop_width = 1;
  std::vector<std::uint8_t> slot(3);
  const Whole whole{{3'000'000'000, 1}, 8};
  const auto status = prepare(spec, Image(Mode::kRGB, {3, 1}), slot, whole);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("3000000000 x 1"));
}

TEST(ReducedGeometry, BoxesAreExact) {
  const auto taken = [](Box box, const Whole& whole, Size size) {
    ResizeWindow spec{box, {1, 1}, {0, 0, 1, 1}};
    take_from_reduced(spec, whole, size);
    return spec;
  };
  // 1001x333 at a quarter: 250.25 x 83.25.
  const ResizeWindow plain = taken({0, 0, 1001, 333}, {{1001, 333}, 4}, {251, 84});
  EXPECT_EQ(plain.source.left, 0u);
  EXPECT_EQ(plain.source.width, 251u);
  EXPECT_EQ(plain.source.height, 84u);
  EXPECT_DOUBLE_EQ(plain.margins.left, 0);
  EXPECT_DOUBLE_EQ(plain.margins.right, 0.75);
  EXPECT_DOUBLE_EQ(plain.margins.bottom, 0.75);
  const ResizeWindow turned = taken({0, 0, 1001, 333}, {{1001, 333}, 4, true, true}, {251, 84});
  EXPECT_DOUBLE_EQ(turned.margins.left, 0.75);
  EXPECT_DOUBLE_EQ(turned.margins.top, 0.75);
  EXPECT_DOUBLE_EQ(turned.margins.right, 0);
  const ResizeWindow part = taken({101, 8, 800, 302}, {{1001, 333}, 4}, {251, 84});
  EXPECT_EQ(part.source.left, 25u);
  EXPECT_EQ(part.source.width, 201u);
  EXPECT_DOUBLE_EQ(part.margins.left, 0.25);
  EXPECT_DOUBLE_EQ(part.margins.right, 0.75);
  EXPECT_EQ(part.source.top, 2u);
  EXPECT_EQ(part.source.height, 76u);
  EXPECT_DOUBLE_EQ(part.margins.top, 0);
  EXPECT_DOUBLE_EQ(part.margins.bottom, 0.5);
  const ResizeWindow whole = taken({3, 4, 5, 6}, {{20, 20}}, {20, 20});
  EXPECT_EQ(whole.source.left, 3u);
  EXPECT_EQ(whole.source.width, 5u);
}

// A slope, reduced by means in every orientation: each filter finds the values where they were, as
// far as it does not take pixels whole, as the box does.
TEST(ReducedGeometry, SlopesStayWhereTheyAre) {
  const Size size{203, 167};
  const std::uint32_t step = 8;
  const auto value = [&](double x, double y) {
    return 20 + 200 * x / size.width + 30 * y / size.height;
  };
  Image full(Mode::kRGB, size);
  for (std::uint32_t y = 0; y < size.height; ++y)
    for (std::uint32_t x = 0; x < 3 * size.width; ++x)
      full.row(y)[x] = static_cast<std::uint8_t>(std::lround(value(x / 3 + 0.5, y + 0.5)));
  ImageInfo info;
  info.size = size;
  info.eighths = 8 / step;
  for (std::uint8_t orientation = 1; orientation <= 8; ++orientation) {
    Image small(Mode::kRGB, info.decoded_size());
    for (std::uint32_t y = 0; y < small.height(); ++y)
      for (std::uint32_t x = 0; x < 3 * small.width(); ++x)
        small.row(y)[x] = static_cast<std::uint8_t>(
            std::min(std::lround(value((x / 3 + 0.5) * step, (y + 0.5) * step)), 255l));
    info.orientation = orientation;
    const Image turned = apply_orientation(std::move(small), orientation);
    const Image upright =
        apply_orientation(resize(full, size, Filter::kBox, Resampler::kPillow13), orientation);
    for (const auto& [filter, resampler] :
         std::vector<std::pair<Filter, Resampler>>{{Filter::kBox, Resampler::kPillow13},
                                                   {Filter::kBilinear, Resampler::kImageRs},
                                                   {Filter::kBilinear, Resampler::kPillow13},
                                                   {Filter::kBicubic, Resampler::kPillow13},
                                                   {Filter::kLanczos, Resampler::kPillow13}}) {
      const auto expected = resize_to_fit(upright, {9, 7}, Fit::kFill, filter, resampler);
      const auto found = resize_to_fit(turned, {9, 7}, Fit::kFill, filter, resampler,
                                       whole_of(info, /*upright=*/true));
      ASSERT_TRUE(expected.ok() && found.ok());
      for (std::size_t i = 0; i < found->pixels().size(); ++i)
        EXPECT_NEAR(found->pixels()[i], expected->pixels()[i], filter == Filter::kBox ? 5 : 2.5)
            << int{orientation} << ", " << static_cast<int>(filter) << " at " << i;
    }
  }
}

}  // namespace
}  // namespace vecframe::image
