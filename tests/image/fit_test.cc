#include "image/fit.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "allocation_meter.h"
#include "pictures.h"

namespace vecframe::image {
namespace {

constexpr Fit kFits[] = {Fit::kFill, Fit::kContain, Fit::kCover, Fit::kInside};
constexpr Filter kFilters[] = {Filter::kNearest, Filter::kBox, Filter::kBilinear, Filter::kBicubic,
                               Filter::kLanczos};
constexpr Mode kModes[] = {Mode::kL, Mode::kLA, Mode::kRGB, Mode::kRGBA};

Fit fit_named(const std::string& name) {
  return name == "fill"      ? Fit::kFill
         : name == "contain" ? Fit::kContain
         : name == "cover"   ? Fit::kCover
                             : Fit::kInside;
}

TEST(Fit, SizesAreThoseOfPillow) {
  const nlohmann::json golden = read_golden("image_ops.json").at("sizes");
  ASSERT_GT(golden.size(), 100u);
  for (const auto& row : golden) {
    const Size size{row.at(0), row.at(1)}, wanted{row.at(2), row.at(3)};
    EXPECT_EQ(size_inside(size, wanted), (Size{row.at(4), row.at(5)})) << row.dump();
    const LongSize around = size_around(size, wanted);
    EXPECT_EQ(around.width, row.at(6)) << row.dump();
    EXPECT_EQ(around.height, row.at(7)) << row.dump();
  }
}

TEST(Fit, NoSideIsEmpty) {
  EXPECT_EQ(size_inside({1000, 1}, {10, 10}), (Size{10, 1}));
  EXPECT_EQ(size_inside({1, 1000}, {10, 10}), (Size{1, 10}));
}

TEST(Fit, PicturesAreThoseOfPillowAndOfTheReference) {
  const nlohmann::json golden = read_golden("image_ops.json").at("fit");
  ASSERT_GT(golden.size(), 100u);
  for (const auto& row : golden) {
    const Image image =
        lcg_picture(static_cast<Mode>(row.at(0).get<int>()), {row.at(1), row.at(2)}, row.at(3));
    const auto result =
        resize_to_fit(image, {row.at(4), row.at(5)}, fit_named(row.at(6)), filter_named(row.at(7)));
    ASSERT_TRUE(result.ok()) << row.dump();
    EXPECT_EQ(crc32_of(result->pixels()), row.at(8)) << row.dump();
  }
}

TEST(Fit, EveryModeFilterAndFitHasTheRightSize) {
  for (const Mode mode : kModes)
    for (const Filter filter : kFilters)
      for (const Size from : {Size{13, 29}, Size{1, 1}, Size{1, 40}, Size{40, 1}})
        for (const Size wanted : {Size{17, 5}, Size{1, 1}, Size{1, 9}, Size{33, 33}})
          for (const Fit fit : kFits) {
            const auto result = resize_to_fit(lcg_picture(mode, from, 3), wanted, fit, filter);
            ASSERT_TRUE(result.ok());
            EXPECT_EQ(result->mode(), mode);
            if (fit != Fit::kInside) {
              EXPECT_EQ(result->size(), wanted);
            } else {
              EXPECT_TRUE(result->width() == wanted.width || result->height() == wanted.height);
              EXPECT_LE(result->width(), wanted.width);
              EXPECT_LE(result->height(), wanted.height);
            }
          }
}

TEST(Fit, ContainPadsWithBlackAndCentres) {
  Image image(Mode::kRGBA, {4, 2});
  std::ranges::fill(image.pixels(), 200);
  const auto result = resize_to_fit(image, {4, 5}, Fit::kContain);
  ASSERT_TRUE(result.ok());
  for (std::uint32_t y = 0; y < 5; ++y)  // 3 rows of room: 2 above (half to even), 1 below
    for (std::size_t i = 0; i < 16; ++i)
      EXPECT_EQ(result->row(y)[i], y == 2 || y == 3 ? 200 : 0) << y;
}

TEST(Fit, RefusesWhatItCannotDo) {
  const auto empty = resize_to_fit(Image(Mode::kRGB, {0, 0}), {4, 4});
  ASSERT_FALSE(empty.ok());
  EXPECT_EQ(empty.error().stage, Stage::kPrepare);
  EXPECT_EQ(empty.error().code, ErrorCode::kUnsupported);

  Image deep(Mode::kRGB16, {2, 2});
  std::ranges::fill(deep.pixels(), 0);
  const auto sixteen = resize_to_fit(deep, {4, 4});
  ASSERT_FALSE(sixteen.ok());
  EXPECT_EQ(sixteen.error().code, ErrorCode::kUnsupported);

  const auto line = resize_to_fit(lcg_picture(Mode::kL, {1, 100000}, 1), {1000, 4}, Fit::kCover);
  ASSERT_FALSE(line.ok());
  EXPECT_EQ(line.error().code, ErrorCode::kTooManyPixels);
  EXPECT_NE(line.error().message.find("1x100000"), std::string::npos);
}

TEST(Fit, CoverOfALineTakesItsMiddle) {
  Image line(Mode::kL, {1, 10001});
  for (std::uint32_t y = 0; y < line.height(); ++y)
    line.row(y)[0] = static_cast<std::uint8_t>(y == 5000 ? 255 : 0);
  for (const Filter filter : kFilters) {
    const auto result = resize_to_fit(line, {9, 9}, Fit::kCover, filter);
    ASSERT_TRUE(result.ok());
    EXPECT_EQ(result->row(4)[4], 255) << int(filter);
  }
}

TEST(Fit, MemoryIsBounded) {
  if (!can_meter_allocations()) GTEST_SKIP() << "a sanitizer has a malloc of its own";
  const Image image = lcg_picture(Mode::kRGB, {701, 305}, 8);
  for (const Fit fit : kFits)
    for (const Filter filter : kFilters) {
      const Size wanted{300, 224};
      const AllocationMeter meter;
      const auto result = resize_to_fit(image, wanted, fit, filter);
      ASSERT_TRUE(result.ok());
      EXPECT_LE(meter.peak(), static_cast<std::int64_t>(resize_to_fit_bytes(
                                  Mode::kRGB, image.size(), wanted, fit, filter)) +
                                  4096);
    }
}

}  // namespace
}  // namespace vecframe::image
