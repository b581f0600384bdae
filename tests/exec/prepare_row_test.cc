#include "exec/prepare_row.h"

#include <gtest/gtest.h>

#include <limits>

#include "colour_embedder.h"
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
  info.size = {1000, 500};
  info.mode = image::Mode::kRGB;
  info.decode_bytes = 1500000;
  const auto spec = colour_spec();
  const auto prepare = static_cast<std::int64_t>(image::prepare_bytes(spec, info.size));
  EXPECT_EQ(working_bytes(info, spec, true), 1500000 + prepare);
  info.decode_bytes = 9000000;  // a progressive JPEG keeps its coefficients
  EXPECT_EQ(working_bytes(info, spec, true), 9000000);

  info.decode_bytes = 1500000;
  info.orientation = 6;
  EXPECT_GE(working_bytes(info, spec, true), 3000000);
  EXPECT_EQ(working_bytes(info, spec, false), 1500000 + prepare);

  info.orientation = 1;
  info.mode = image::Mode::kRGBA16;  // 4 MB, and 1.5 as RGB
  EXPECT_GE(working_bytes(info, spec, true), 5500000);
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
