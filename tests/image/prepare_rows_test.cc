#include "image/prepare_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "allocation_meter.h"
#include "image/decode.h"
#include "image/encode.h"
#include "pictures.h"

namespace vecframe::image {
namespace {

std::vector<PrepareSpec> recipes() {
  std::vector<PrepareSpec> specs(4);
  specs[0].resize = ResizeRule::kShortestEdge;
  specs[0].shortest_edge = 32;
  specs[0].crop = CropRule::kTorchvision;
  specs[0].crop_height = specs[0].crop_width = 32;
  specs[1].resize = ResizeRule::kExact;
  specs[1].resize_height = specs[1].resize_width = 24;
  specs[2] = specs[1];
  specs[2].resize = ResizeRule::kCentreSquare;
  specs[2].square_fraction = 0.875;
  specs[3].resize = ResizeRule::kPatches;
  specs[3].patch = 4;
  specs[3].max_patches = 64;
  return specs;
}

// As a decoder would: some rows at a time, never more than there is room for.
void feed(const Image& picture, std::uint32_t rows_at_a_time, RowSink& sink) {
  for (std::uint32_t y = 0; y < picture.height();) {
    const RowSink::Room room = sink.room();
    ASSERT_GT(room.rows, 0u);
    const std::uint32_t rows = std::min({rows_at_a_time, room.rows, picture.height() - y});
    std::memcpy(room.pixels, picture.row(y), rows * picture.row_bytes());
    sink.take(rows);
    y += rows;
  }
}

TEST(PrepareRowsTest, GivesTheBytesOfPrepare) {
  int compared = 0;
  for (PrepareSpec spec : recipes())
    for (const Filter filter :
         {Filter::kBox, Filter::kBilinear, Filter::kBicubic, Filter::kLanczos})
      for (const Resampler resampler :
           {Resampler::kTorchvision, Resampler::kPillow12, Resampler::kPillow13})
        for (const Size size : {Size{200, 150}, Size{150, 200}, Size{333, 35}, Size{37, 61},
                                Size{20, 17}, Size{401, 300}}) {
          spec.filter = filter;
          spec.resampler = resampler;
          if (!prepares_rows(spec, size)) continue;
          const Image picture = lcg_picture(Mode::kRGB, size, 7);
          std::vector<std::uint8_t> want(spec.slot_bytes(), 1), got(spec.slot_bytes(), 2);
          ASSERT_TRUE(prepare(spec, picture, want));
          for (const std::uint32_t at_a_time : {1u, 5u, 16u}) {
            PrepareRows rows(spec, size, got);
            feed(picture, at_a_time, rows);
            EXPECT_TRUE(
                std::ranges::equal(slot_picture(spec, got).bytes, slot_picture(spec, want).bytes))
                << spec.canonical_text() << size.width << "x" << size.height;
            ++compared;
          }
        }
  EXPECT_GT(compared, 600);
}

TEST(PrepareRowsTest, RefusesWhatItCannotDo) {
  PrepareSpec spec = recipes()[1];
  EXPECT_TRUE(prepares_rows(spec, {100, 100}));
  EXPECT_FALSE(prepares_rows(spec, {24, 100}));  // one direction alone
  EXPECT_FALSE(prepares_rows(spec, {0, 100}));
  spec.filter = Filter::kNearest;
  EXPECT_FALSE(prepares_rows(spec, {100, 100}));
  spec.filter = Filter::kBicubic;
  spec.resampler = Resampler::kFloat;
  EXPECT_FALSE(prepares_rows(spec, {100, 100}));
  spec.resampler = Resampler::kPillow13;
  EXPECT_FALSE(prepares_rows(spec, {30, 300}));  // columns first
}

TEST(PrepareRowsTest, DecodesAndPreparesJpegInOneGo) {
  const PrepareSpec spec = recipes()[0];
  for (const Size size : {Size{200, 150}, Size{97, 121}}) {
    const auto bytes = encode(lcg_picture(Mode::kRGB, size, 3), {Format::kJpeg, 90});
    ASSERT_TRUE(bytes);
    const auto info = probe(*bytes);
    ASSERT_TRUE(info && decodes_by_rows(*info));
    std::vector<std::uint8_t> want(spec.slot_bytes()), got(spec.slot_bytes());
    ASSERT_TRUE(prepare(spec, *decode(*bytes, *info), want));
    PrepareRows rows(spec, size, got);
    ASSERT_TRUE(decode_rows(*bytes, *info, rows));
    EXPECT_EQ(got, want);

    // An error is the same whoever takes the rows.
    for (const std::size_t kept : {bytes->size() / 2, bytes->size() - 200}) {
      const std::span<const std::byte> part = std::span(*bytes).first(kept);
      PrepareRows others(spec, size, got);
      const Status status = decode_rows(part, *info, others);
      ASSERT_FALSE(status);
      EXPECT_EQ(status.error().to_string(), decode(part, *info).error().to_string());
      EXPECT_EQ(status.error().code, ErrorCode::kTruncated);
    }
  }
}

TEST(PrepareRowsTest, HoldsAStrip) {
  if (!can_meter_allocations()) GTEST_SKIP() << "a sanitizer has replaced malloc";
  constexpr std::uint64_t kRounding = 12 * 4096;
  for (const PrepareSpec& spec : recipes())
    for (const Size size : {Size{1600, 1200}, Size{700, 2000}}) {
      ASSERT_TRUE(prepares_rows(spec, size));
      const Image picture(Mode::kRGB, size);
      std::vector<std::uint8_t> slot(spec.slot_bytes());
      const AllocationMeter meter;
      {
        PrepareRows rows(spec, size, slot);
        feed(picture, 16, rows);
      }
      const auto peak = static_cast<std::uint64_t>(meter.peak());
      EXPECT_LE(peak, prepare_rows_bytes(spec, size) + kRounding);
      EXPECT_LT(prepare_rows_bytes(spec, size), picture.pixels().size() / 4);
    }
}

}  // namespace
}  // namespace vecframe::image
