#include "image/patch_fit.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <vector>

#include "pictures.h"

namespace vecframe::image {
namespace {

TEST(PatchFit, KeepsTheShapeAsFarAsWholePatchesAllow) {
  EXPECT_EQ(fit_patches({256, 256}, 16, 256), (Size{256, 256}));
  EXPECT_EQ(fit_patches({640, 480}, 16, 256), (Size{288, 224}));
  EXPECT_EQ(fit_patches({480, 640}, 16, 256), (Size{224, 288}));
  EXPECT_EQ(fit_patches({4000, 1}, 16, 256), (Size{4096, 16}));
  EXPECT_EQ(fit_patches({1, 100'000}, 16, 256), (Size{16, 4096}));
  EXPECT_EQ(fit_patches({9, 7}, 7, 1), (Size{7, 7}));
}

TEST(PatchFit, EnlargesAHundredfoldAtMost) {
  EXPECT_EQ(fit_patches({1, 1}, 16, 256), (Size{112, 112}));
  EXPECT_EQ(fit_patches({2, 1}, 16, 256), (Size{208, 112}));
}

// 6400 shapes each; see tools/make_pixel_value_goldens.py. A side that comes within rounding of a
// whole number of patches is common among them.
TEST(PatchFit, EqualsTheReference) {
  const nlohmann::json golden = read_golden("pixel_values.json");
  ASSERT_EQ(golden.at("patch_sizes").size(), 4u);
  for (const auto& expected : golden.at("patch_sizes")) {
    const std::uint32_t patch = expected.at(0), patches = expected.at(1);
    std::vector<std::uint8_t> bytes;
    for (std::uint32_t i = 0; i < 80; ++i)
      for (std::uint32_t j = 0; j < 80; ++j) {
        const Size size = fit_patches({1 + 61 * i, 1 + 43 * j}, patch, patches);
        EXPECT_LE(size.width / patch * (size.height / patch), patches);
        for (const std::uint32_t side : {size.width, size.height})
          for (int shift = 0; shift < 32; shift += 8)
            bytes.push_back(static_cast<std::uint8_t>(side >> shift));
      }
    EXPECT_EQ(crc32_of(bytes), expected.at(2)) << expected;
  }
}

}  // namespace
}  // namespace vecframe::image
