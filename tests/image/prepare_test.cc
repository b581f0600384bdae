#include "image/prepare.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "image/crop.h"
#include "image/resize.h"
#include "pictures.h"

namespace vecframe::image {
namespace {

template <class Enum>
Enum named(const std::string& name, std::initializer_list<std::pair<const char*, Enum>> names) {
  for (const auto& [text, value] : names)
    if (name == text) return value;
  throw std::invalid_argument(name);
}

PrepareSpec spec_of(const nlohmann::json& fields) {
  PrepareSpec spec;
  spec.resize =
      named<ResizeRule>(fields.at("resize"), {{"none", ResizeRule::kNone},
                                              {"exact", ResizeRule::kExact},
                                              {"shortest_edge", ResizeRule::kShortestEdge},
                                              {"centre_square", ResizeRule::kCentreSquare},
                                              {"patches", ResizeRule::kPatches}});
  spec.resize_height = fields.value("resize_height", 0u);
  spec.resize_width = fields.value("resize_width", 0u);
  spec.shortest_edge = fields.value("shortest_edge", 0u);
  spec.square_fraction = fields.value("square_fraction", 1.0);
  spec.patch = fields.value("patch", 0u);
  spec.max_patches = fields.value("max_patches", 0u);
  spec.filter = filter_named(fields.at("filter"));
  spec.resampler = resampler_named(fields.at("resampler"));
  spec.crop =
      named<CropRule>(fields.value("crop", "none"), {{"none", CropRule::kNone},
                                                     {"torchvision", CropRule::kTorchvision},
                                                     {"pillow", CropRule::kPillow},
                                                     {"round", CropRule::kRound}});
  spec.crop_height = fields.value("crop_height", 0u);
  spec.crop_width = fields.value("crop_width", 0u);
  spec.do_rescale = fields.value("do_rescale", true);
  spec.rescale_factor = fields.value("rescale_factor", 1.0 / 255.0);
  spec.do_normalize = fields.value("do_normalize", true);
  spec.mean = fields.at("mean").get<std::array<float, 3>>();
  spec.std = fields.at("std").get<std::array<float, 3>>();
  spec.normalize =
      named<NormalizeRule>(fields.at("normalize"), {{"fused", NormalizeRule::kFused},
                                                    {"stepwise", NormalizeRule::kStepwise},
                                                    {"timm", NormalizeRule::kTimm}});
  return spec;
}

std::vector<std::uint8_t> slot_of(const PrepareSpec& spec, const Image& image) {
  std::vector<std::uint8_t> slot(spec.slot_bytes(), 0xA5);  // whatever was there must not matter
  EXPECT_TRUE(prepare(spec, image, slot).ok());
  return slot;
}

Image rgb(std::uint32_t width, std::uint32_t height) {
  return lcg_picture(Mode::kRGB, {width, height}, width * 131 + height);
}

PrepareSpec clip(std::uint32_t edge, std::uint32_t crop_height, std::uint32_t crop_width) {
  PrepareSpec spec;
  spec.resize = ResizeRule::kShortestEdge;
  spec.shortest_edge = edge;
  spec.crop = CropRule::kTorchvision;
  spec.crop_height = crop_height;
  spec.crop_width = crop_width;
  return spec;
}

/// Values computed by the processors themselves; see tools/make_pixel_value_goldens.py.
TEST(Prepare, PixelValuesEqualTheProcessors) {
  const nlohmann::json golden = read_golden("pixel_values.json");
  ASSERT_GT(golden.at("recipes").size(), 30u);
  for (const auto& recipe : golden.at("recipes")) {
    const PrepareSpec spec = spec_of(recipe.at("spec"));
    for (const auto& picture : recipe.at("pictures")) {
      const Image image = lcg_picture(Mode::kRGB, {picture.at(0), picture.at(1)}, picture.at(2));
      const auto slot = slot_of(spec, image);
      std::vector<float> values(slot_picture(spec, slot).bytes.size());
      pixel_values(spec, slot, values);
      const std::span bytes(reinterpret_cast<const std::uint8_t*>(values.data()),
                            values.size() * sizeof(float));
      EXPECT_EQ(crc32_of(bytes), picture.at(3))
          << recipe.at("name") << " " << picture.dump() << " " << recipe.at("spec").dump();
    }
  }
}

TEST(Prepare, ACropOfAResizeIsThatOfTheWholeResize) {
  for (const Resampler resampler :
       {Resampler::kTorchvision, Resampler::kPillow12, Resampler::kPillow13})
    for (const auto& [width, height] : {std::pair{640u, 480u}, {83u, 200u}, {50u, 31u}}) {
      PrepareSpec spec = clip(64, 64, 64);
      spec.resampler = resampler;
      const Image image = rgb(width, height);
      const Size size =
          width < height ? Size{64, 64 * height / width} : Size{64 * width / height, 64};
      const Image all = resize(image, size, spec.filter, resampler);
      const Image wanted = crop(all, {(size.width - 64) / 2, (size.height - 64) / 2, 64, 64});
      EXPECT_TRUE(std::ranges::equal(slot_of(spec, image), wanted.pixels()));
    }
}

// transformers 5.23's DINOv3ViTImageProcessor, red and the first row of blue.
TEST(Prepare, FloatSlotsAreResizedWithoutRounding) {
  Image image(Mode::kRGB, {5, 4});
  for (std::uint32_t y = 0; y < 4; ++y)
    for (std::uint32_t x = 0; x < 5; ++x)
      for (std::uint32_t c = 0; c < 3; ++c)
        image.row(y)[3 * x + c] = static_cast<std::uint8_t>(x * 37 + y * 101 + c * 59);
  PrepareSpec spec;
  spec.resize = ResizeRule::kExact;
  spec.resize_height = 3;
  spec.resize_width = 7;
  spec.filter = Filter::kBilinear;
  spec.resampler = Resampler::kFloat;
  spec.mean = {0.485f, 0.456f, 0.406f};
  spec.std = {0.229f, 0.224f, 0.225f};
  EXPECT_EQ(spec.slot_values(), 63u);
  const auto slot = slot_of(spec, image);
  ASSERT_EQ(slot.size(), 4 * 63u);
  std::vector<float> values(63);
  pixel_values(spec, slot, values);
  const float red[] = {-1.599024f, -1.236958f, -0.784375f, -0.331792f, 0.120791f,  0.573373f,
                       0.93544f,   0.476496f,  0.838563f,  0.664868f,  -0.44824f,  0.004343f,
                       0.456925f,  0.818991f,  -0.51674f,  -0.154673f, -0.077857f, -0.564689f,
                       -0.112106f, 0.340477f,  0.702543f};
  for (std::size_t i = 0; i < 21; ++i) EXPECT_NEAR(values[i], red[i], 5e-6f) << i;
  const float blue[] = {0.780305f, 0.383916f, 0.270875f, 0.731503f,
                        1.192132f, 0.314199f, -1.102048f};
  for (std::size_t i = 0; i < 7; ++i) EXPECT_NEAR(values[42 + i], blue[i], 5e-6f) << i;
}

TEST(Prepare, ACropOfAFloatResizeIsThatOfTheWholeResize) {
  const Image image = rgb(83, 61);
  PrepareSpec whole;
  whole.resize = ResizeRule::kExact;
  whole.resize_height = 20;
  whole.resize_width = 30;
  whole.resampler = Resampler::kFloat;
  whole.mean = {0.5f, 0.4f, 0.3f};
  PrepareSpec cropped = whole;
  cropped.crop = CropRule::kTorchvision;
  cropped.crop_height = 24;  // padded by 2 above and below
  cropped.crop_width = 10;
  std::vector<float> all(whole.slot_values()), part(cropped.slot_values());
  pixel_values(whole, slot_of(whole, image), all);
  pixel_values(cropped, slot_of(cropped, image), part);
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t y = 0; y < 24; ++y)
      for (std::size_t x = 0; x < 10; ++x)
        EXPECT_EQ(part[(c * 24 + y) * 10 + x],
                  y < 2 || y >= 22 ? -whole.mean[c] : all[(c * 20 + y - 2) * 30 + x + 10]);
}

TEST(Prepare, PaddingIsBlackAndItsOddPixelFollowsTheRule) {
  PrepareSpec spec;
  spec.crop_height = 4;
  spec.crop_width = 6;
  Image white(Mode::kRGB, {3, 1});
  std::ranges::fill(white.pixels(), 255);
  const auto drawing = [&](CropRule rule) {
    spec.crop = rule;
    const auto slot = slot_of(spec, white);
    std::string text;
    for (std::size_t i = 0; i < slot.size(); i += 3) {
      text += slot[i] == 255 ? '#' : slot[i] == 0 ? '.' : '?';
      if (i / 3 % 6 == 5) text += '\n';
    }
    return text;
  };
  EXPECT_EQ(drawing(CropRule::kTorchvision), "......\n.###..\n......\n......\n");
  EXPECT_EQ(drawing(CropRule::kRound), "......\n.###..\n......\n......\n");
  EXPECT_EQ(drawing(CropRule::kPillow), "......\n......\n..###.\n......\n");
}

TEST(Prepare, ACropOffsetRoundsAsItsRuleSays) {
  const auto first_column = [](CropRule rule, std::uint32_t width) {
    Image image(Mode::kRGB, {width, 1});
    for (std::uint32_t x = 0; x < width; ++x) image.row(0)[3 * x] = static_cast<std::uint8_t>(x);
    PrepareSpec spec;
    spec.crop = rule;
    spec.crop_height = spec.crop_width = 1;
    return int{slot_of(spec, image)[0]};
  };
  const std::vector<int> floored{0, 0, 1, 1, 2, 2, 3, 3}, even{0, 0, 1, 2, 2, 2, 3, 4};
  for (std::uint32_t rest = 0; rest < 8; ++rest) {
    EXPECT_EQ(first_column(CropRule::kTorchvision, rest + 1), floored[rest]);
    EXPECT_EQ(first_column(CropRule::kPillow, rest + 1), floored[rest]);
    EXPECT_EQ(first_column(CropRule::kRound, rest + 1), even[rest]);
  }
}

// The side that follows is rounded, a half to the even neighbour: 5 * 24 / 48 = 2.5 and 7 * 24 / 48
// = 3.5.
TEST(Prepare, CoversOrFitsARectangle) {
  PrepareSpec spec;
  spec.resize = ResizeRule::kFit;
  spec.crop = CropRule::kRound;
  spec.resampler = Resampler::kPillow13;
  spec.crop_height = spec.resize_height = 9;
  spec.crop_width = spec.resize_width = 24;
  std::vector<std::uint8_t> slot(spec.slot_bytes());
  const auto rows_of = [&](Size size) {
    Image white(Mode::kRGB, size);
    std::fill(white.pixels().begin(), white.pixels().end(), std::uint8_t{255});
    EXPECT_TRUE(prepare(spec, white, slot).ok());
    int rows = 0;
    for (std::size_t y = 0; y < 9; ++y) rows += slot[(y * 24 + 12) * 3] == 255;
    return rows;
  };
  EXPECT_EQ(rows_of({48, 5}), 2);
  EXPECT_EQ(rows_of({48, 7}), 4);
  spec.resize = ResizeRule::kCover;
  EXPECT_EQ(rows_of({48, 5}), 9);
  EXPECT_EQ(slot.back(), 255);
  EXPECT_EQ(spec.slot_size(), (Size{24, 9}));
}

PrepareSpec naflex(std::uint32_t patch, std::uint32_t max_patches) {
  PrepareSpec spec;
  spec.resize = ResizeRule::kPatches;
  spec.patch = patch;
  spec.max_patches = max_patches;
  spec.filter = Filter::kBilinear;
  return spec;
}

TEST(Prepare, PicturesOfTheirOwnSizeSayWhichItIs) {
  const PrepareSpec spec = naflex(4, 30);
  EXPECT_EQ(spec.slot_size(), (Size{0, 0}));
  EXPECT_EQ(spec.slot_values(), 30u * 4 * 4 * 3);
  EXPECT_EQ(spec.slot_bytes(), 8 + 30u * 4 * 4 * 3);
  for (const Image& image : {rgb(60, 40), rgb(40, 60), rgb(1, 500), rgb(500, 1), rgb(1, 1)}) {
    const auto slot = slot_of(spec, image);
    const SlotPicture picture = slot_picture(spec, slot);
    const Image wanted = resize(image, picture.size, spec.filter, spec.resampler);
    EXPECT_TRUE(std::ranges::equal(picture.bytes, wanted.pixels()));
    EXPECT_LE(picture.size.width / 4 * (picture.size.height / 4), 30u);
  }
  EXPECT_EQ(slot_picture(spec, slot_of(spec, rgb(60, 40))).size, (Size{24, 16}));
  EXPECT_EQ(slot_picture(spec, slot_of(spec, rgb(1, 500))).size, (Size{4, 120}));
}

TEST(Prepare, PicturesOfOneSizeAreTheirSlots) {
  const PrepareSpec spec = clip(16, 12, 10);
  const auto slot = slot_of(spec, rgb(30, 20));
  EXPECT_EQ(slot_picture(spec, slot).size, (Size{10, 12}));
  EXPECT_EQ(slot_picture(spec, slot).bytes.data(), slot.data());
  EXPECT_EQ(slot_picture(spec, slot).bytes.size(), slot.size());
}

TEST(Prepare, PixelValuesOfPatchesGoPatchByPatch) {
  Image image(Mode::kRGB, {6, 4});  // of patches of 2: 3 x 2, as many as there may be
  for (std::uint32_t y = 0; y < 4; ++y)
    for (std::uint32_t x = 0; x < 6; ++x)
      for (std::uint32_t c = 0; c < 3; ++c)
        image.row(y)[3 * x + c] = static_cast<std::uint8_t>(100 * c + 10 * y + x);
  PrepareSpec spec = naflex(2, 6);
  spec.do_rescale = spec.do_normalize = false;
  const auto slot = slot_of(spec, image);
  std::vector<float> values(72);
  pixel_values(spec, slot, values);
  const std::vector<float> second(values.begin() + 12, values.begin() + 24);
  EXPECT_EQ(second, (std::vector<float>{2, 102, 202, 3, 103, 203, 12, 112, 212, 13, 113, 213}));
  const std::vector<float> fourth(values.begin() + 36, values.begin() + 48);
  EXPECT_EQ(fourth, (std::vector<float>{20, 120, 220, 21, 121, 221, 30, 130, 230, 31, 131, 231}));
}

TEST(Prepare, RefusesAPictureTooLongForItsPatches) {
  const PrepareSpec spec = naflex(1, 1);
  std::vector<std::uint8_t> slot(spec.slot_bytes());
  const Status status = prepare(spec, Image(Mode::kRGB, {1'000'001, 1}), slot);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().stage, Stage::kPrepare);
  EXPECT_EQ(status.error().message,
            "picture of 1000001 x 1: is too long for 1 patches, however far it is reduced");
  EXPECT_TRUE(prepare(spec, Image(Mode::kRGB, {999'999, 1}), slot).ok());
}

TEST(Prepare, TallAndThinPictures) {
  const PrepareSpec spec = clip(16, 16, 16);
  for (const Image& image : {rgb(1, 5000), rgb(5000, 1), rgb(1, 1), rgb(2, 3)})
    EXPECT_EQ(slot_of(spec, image).size(), 16u * 16 * 3);
}

TEST(Prepare, RefusesASideOfNoPixels) {
  PrepareSpec spec;
  spec.resize = ResizeRule::kCentreSquare;
  spec.resize_height = spec.resize_width = 8;
  spec.square_fraction = 224.0 / 256.0;
  std::vector<std::uint8_t> slot(spec.slot_bytes());
  const Status status = prepare(spec, rgb(1, 9), slot);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().stage, Stage::kPrepare);
  EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(status.error().message, "picture of 1 x 9: a side would shrink to 0 pixels");
  EXPECT_TRUE(prepare(spec, rgb(2, 9), slot).ok());
}

TEST(Prepare, RefusesASideTooLongToBeAPicture) {
  const PrepareSpec spec = clip(224, 224, 224);
  std::vector<std::uint8_t> slot(spec.slot_bytes());
  const Status status = prepare(spec, Image(Mode::kRGB, {100'000, 1}), slot);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
}

#ifndef NDEBUG
TEST(PrepareDeathTest, ASlotOfAnotherSizeIsABug) {
  const PrepareSpec spec = clip(16, 16, 16);
  std::vector<std::uint8_t> slot(spec.slot_bytes() - 3);
  EXPECT_DEATH((void)prepare(spec, rgb(20, 20), slot), "slot");
}
#endif

TEST(Prepare, SlotSize) {
  PrepareSpec spec = clip(256, 224, 192);
  EXPECT_EQ(spec.slot_size(), (Size{192, 224}));
  EXPECT_EQ(spec.slot_bytes(), 192u * 224 * 3);
  spec.crop = CropRule::kNone;
  EXPECT_EQ(spec.slot_size(), (Size{0, 0}));
  spec.resize = ResizeRule::kExact;
  spec.resize_height = 7;
  spec.resize_width = 9;
  EXPECT_EQ(spec.slot_size(), (Size{9, 7}));
}

TEST(Prepare, CanonicalTextTellsEveryFieldApart) {
  PrepareSpec base;
  base.rescale_factor = 1.0 / 255.0;
  EXPECT_EQ(base.canonical_text(),
            "resize=none;resize_height=0;resize_width=0;shortest_edge=0;square_fraction=1;"
            "patch=0;max_patches=0;filter=bicubic;resampler=torchvision;crop=none;crop_height=0;"
            "crop_width=0;"
            "do_rescale=true;rescale_factor=0.00392156862745098;do_normalize=true;mean=0,0,0;"
            "std=1,1,1;normalize=fused;");
  std::set<std::string> texts{base.canonical_text()};
  const auto differs = [&](auto change) {
    PrepareSpec spec = base;
    change(spec);
    EXPECT_TRUE(texts.insert(spec.canonical_text()).second) << spec.canonical_text();
  };
  differs([](PrepareSpec& s) { s.resize = ResizeRule::kExact; });
  differs([](PrepareSpec& s) { s.resize = ResizeRule::kCover; });
  differs([](PrepareSpec& s) { s.resize = ResizeRule::kFit; });
  differs([](PrepareSpec& s) { s.resize_height = 1; });
  differs([](PrepareSpec& s) { s.resize_width = 1; });
  differs([](PrepareSpec& s) { s.shortest_edge = 1; });
  differs([](PrepareSpec& s) { s.square_fraction = 0.875; });
  differs([](PrepareSpec& s) { s.resize = ResizeRule::kPatches; });
  differs([](PrepareSpec& s) { s.patch = 1; });
  differs([](PrepareSpec& s) { s.max_patches = 1; });
  differs([](PrepareSpec& s) { s.filter = Filter::kBilinear; });
  differs([](PrepareSpec& s) { s.resampler = Resampler::kPillow13; });
  differs([](PrepareSpec& s) { s.resampler = Resampler::kFloat; });
  differs([](PrepareSpec& s) { s.crop = CropRule::kRound; });
  differs([](PrepareSpec& s) { s.crop_height = 1; });
  differs([](PrepareSpec& s) { s.crop_width = 1; });
  differs([](PrepareSpec& s) { s.do_rescale = false; });
  differs([](PrepareSpec& s) { s.rescale_factor = 0.00392156862745097; });
  differs([](PrepareSpec& s) { s.do_normalize = false; });
  differs([](PrepareSpec& s) { s.mean[2] = 1e-30f; });
  differs([](PrepareSpec& s) { s.std[0] = std::nextafter(1.0f, 2.0f); });
  differs([](PrepareSpec& s) { s.normalize = NormalizeRule::kTimm; });
}

TEST(PrepareSpec, ReadsAsOneLine) {
  PrepareSpec spec;
  EXPECT_EQ(spec.readable_text(), "no resize; values / 255; mean 0 0 0, std 1 1 1");
  spec.resize = ResizeRule::kShortestEdge;
  spec.shortest_edge = 256;
  spec.crop = CropRule::kTorchvision;
  spec.crop_width = 224;
  spec.crop_height = 192;
  spec.mean = {0.48145466f, 0.4578275f, 0.40821073f};
  spec.std = {0.26862954f, 0.26130258f, 0.27577711f};
  EXPECT_EQ(spec.readable_text(),
            "resize shorter side to 256, bicubic (torchvision); centre crop 224x192; values / 255; "
            "mean 0.4815 0.4578 0.4082, std 0.2686 0.2613 0.2758");
  spec = PrepareSpec();
  spec.resize = ResizeRule::kExact;
  spec.resize_width = 384;
  spec.resize_height = 256;
  spec.filter = Filter::kLanczos;
  spec.resampler = Resampler::kPillow13;
  spec.rescale_factor = 0.5;
  spec.do_normalize = false;
  EXPECT_EQ(spec.readable_text(), "resize to 384x256, lanczos (Pillow); values x 0.5");
  spec.resize = ResizeRule::kFit;
  EXPECT_EQ(spec.readable_text(), "resize to fit into 384x256, lanczos (Pillow); values x 0.5");
  spec.resize = ResizeRule::kCover;
  EXPECT_EQ(spec.readable_text(), "resize to cover 384x256, lanczos (Pillow); values x 0.5");
  PrepareSpec patches = naflex(16, 256);
  patches.do_rescale = patches.do_normalize = false;
  EXPECT_EQ(patches.readable_text(),
            "resize to at most 256 patches of 16, aspect ratio kept, bilinear (torchvision)");
  spec.resize = ResizeRule::kCentreSquare;
  spec.square_fraction = 0.875;
  spec.do_rescale = false;
  EXPECT_EQ(spec.readable_text(),
            "centre square of 0.875 of the shorter side, resize to 384x256, lanczos (Pillow)");
}

}  // namespace
}  // namespace vecframe::image
