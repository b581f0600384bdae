#include "image/crop.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>

#include "pictures.h"

namespace vecframe::image {
namespace {

constexpr std::uint32_t kMost = std::numeric_limits<std::uint32_t>::max();

/// Boxes inside, over the edges, outside and empty; see tools/make_golden_image_ops.py.
TEST(Crop, EqualsTheReferenceAtAndBeyondTheEdges) {
  const nlohmann::json golden = read_golden("image_ops.json").at("crop");
  ASSERT_GT(golden.size(), 30u);
  for (const auto& row : golden) {
    const Image image =
        lcg_picture(static_cast<Mode>(row.at(0).get<int>()), {row.at(1), row.at(2)}, row.at(3));
    const Image part = crop(image, {row.at(4), row.at(5), row.at(6), row.at(7)});
    EXPECT_EQ(part.mode(), image.mode());
    EXPECT_EQ(part.size(), (Size{row.at(8), row.at(9)})) << row.dump();
    EXPECT_EQ(crc32_of(part.pixels()), row.at(10)) << row.dump();
  }
}

TEST(Crop, SixteenBitSamplesStayWhole) {
  Image image(Mode::kRGB16, {3, 2});
  for (std::size_t i = 0; i < image.pixels().size(); ++i)
    image.pixels()[i] = static_cast<std::uint8_t>(i);
  const Image part = crop(image, {1, 1, kMost, kMost});
  ASSERT_EQ(part.size(), (Size{2, 1}));
  for (std::size_t i = 0; i < part.pixels().size(); ++i) EXPECT_EQ(part.pixels()[i], 24 + i);
}

TEST(Crop, OfAnEmptyPictureIsEmpty) {
  EXPECT_EQ(crop(Image(Mode::kL, {0, 0}), {0, 0, 1, 1}).size(), (Size{0, 0}));
}

}  // namespace
}  // namespace vecframe::image
