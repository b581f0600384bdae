#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "allocation_meter.h"
#include "image/prepare.h"

namespace vecframe::image {
namespace {

TEST(PrepareMemory, PrepareBytesBoundsWhatIsAllocated) {
  if (!can_meter_allocations()) GTEST_SKIP() << "a sanitizer has replaced malloc";
  // malloc rounds the dozen blocks up to its own grain, or to whole pages.
  constexpr std::uint64_t kRounding = 12 * 4096;
  std::vector<PrepareSpec> specs(5);
  specs[0].resize = ResizeRule::kShortestEdge;
  specs[0].shortest_edge = 224;
  specs[0].crop = CropRule::kTorchvision;
  specs[0].crop_height = specs[0].crop_width = 224;
  specs[1].resize = ResizeRule::kExact;
  specs[1].resize_height = specs[1].resize_width = 96;
  specs[2] = specs[1];
  specs[2].resize = ResizeRule::kCentreSquare;
  specs[2].square_fraction = 0.875;
  specs[3].crop = CropRule::kPillow;
  specs[3].crop_height = specs[3].crop_width = 64;
  specs[4].resize = ResizeRule::kPatches;
  specs[4].patch = 16;
  specs[4].max_patches = 64;
  for (PrepareSpec spec : specs)
    for (const Filter filter : {Filter::kNearest, Filter::kBilinear, Filter::kLanczos})
      for (const Resampler resampler :
           {Resampler::kTorchvision, Resampler::kPillow13, Resampler::kFloat})
        for (const Size size : {Size{640, 480}, Size{3000, 200}, Size{96, 700}, Size{700, 96},
                                Size{9, 7}, Size{20000, 3}, Size{3, 20000}}) {
          if (resampler == Resampler::kFloat && filter == Filter::kNearest) continue;
          spec.filter = filter;
          spec.resampler = resampler;
          const Image image(Mode::kRGB, size);
          std::vector<std::uint8_t> slot(spec.slot_bytes());
          const AllocationMeter meter;
          const bool ok = prepare(spec, image, slot).ok();
          const auto peak = static_cast<std::uint64_t>(meter.peak());
          ASSERT_TRUE(ok);
          const std::uint64_t bound = prepare_bytes(spec, size);
          EXPECT_LE(peak, bound + kRounding) << spec.canonical_text() << size.width;
          // A bound so loose that it would turn good pictures away is no use either.
          if (spec.crop == CropRule::kNone) {
            EXPECT_LE(bound, 3 * peak + 4096) << spec.canonical_text() << size.width;
          }
        }
}

}  // namespace
}  // namespace vecframe::image
