#include "image/image_hash.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "image/convert.h"
#include "image/crop.h"
#include "pictures.h"

namespace vecframe::image {
namespace {

using testing::HasSubstr;

/// What tools/make_golden_hashes.py calls the same.
Image hash_picture(const std::string& kind, Mode mode, Size size, std::uint32_t seed) {
  if (kind == "noise") return lcg_picture(mode, size, seed);
  Image image(mode, size);
  const auto channels = static_cast<std::uint32_t>(num_channels(mode));
  const auto [width, height] = size;
  std::uint8_t* out = image.pixels().data();
  for (std::uint32_t y = 0; y < height; ++y)
    for (std::uint32_t x = 0; x < width; ++x)
      for (std::uint32_t c = 0; c < channels; ++c) {
        std::uint32_t value = 0;
        if (kind == "flat") value = seed + 71 * c;
        if (kind == "ramp") value = (seed % 2 == 1 ? x * 255 / width : y * 255 / height) + 40 * c;
        if (kind == "mirror") {
          const std::uint32_t u = std::min(x, width - 1 - x), v = std::min(y, height - 1 - y);
          value = u * (seed % 13) + v * (seed % 7) + u * v * (1 + c) / 3;
        }
        if (kind == "blocks") value = (x / 8 * 37 + y / 8 * 91 + c * 53) * seed;
        if (kind == "bars") value = x / (1 + seed % 5) % 2 * 255;
        *out++ = static_cast<std::uint8_t>(value);
      }
  return image;
}

std::string hex(const std::vector<std::byte>& bytes) {
  std::string text;
  for (const std::byte byte : bytes) text += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return text;
}

std::string hash_of(const Image& image, HashMethod method, const HashOptions& options = {}) {
  check(method, options);
  const Result<std::vector<std::byte>> hash = image_hash(image, method, options);
  if (!hash.ok()) return hash.error().to_string();
  EXPECT_EQ(hash->size(), hash_bytes(method, options));
  return hex(*hash);
}

/// By a name of the goldens: the method, then its options.
std::string hash_named(const Image& image, const std::string& text) {
  std::istringstream words(text);
  std::string name;
  HashOptions options;
  words >> name;
  const HashMethod method = parse_hash_method(name);
  words >> (method == HashMethod::kColor ? options.binbits : options.hash_size);
  if (method == HashMethod::kCropResistant) words >> options.segments;
  return hash_of(image, method, options);
}

Image picture_of(const nlohmann::json& recipe) {
  return hash_picture(recipe[0], static_cast<Mode>(recipe[1].get<int>()),
                      {recipe[2].get<std::uint32_t>(), recipe[3].get<std::uint32_t>()},
                      recipe[4].get<std::uint32_t>());
}

TEST(ImageHash, AgreesWithImagehashInEveryBit) {
  const nlohmann::json goldens = read_golden("hashes.json");
  int compared = 0;
  for (const nlohmann::json& golden : goldens["cases"]) {
    const Image image = picture_of(golden);
    for (const auto& [name, expected] : golden[5].items()) {
      SCOPED_TRACE(golden[0].get<std::string>() + " " + golden[2].dump() + "x" + golden[3].dump() +
                   " mode " + golden[1].dump() + " seed " + golden[4].dump() + ": " + name);
      if (name != "all") {
        EXPECT_EQ(hash_named(image, name), expected.get<std::string>());
        ++compared;
        continue;
      }
      std::string all;
      for (const char* each : {"phash 8", "phash_simple 8", "dhash 8", "dhash_vertical 8",
                               "ahash 8", "whash 8", "colorhash 3", "crop_resistant 8 3"})
        all += hash_named(image, each);
      const auto* begin = reinterpret_cast<const std::uint8_t*>(all.data());
      EXPECT_EQ(fmt::format("{:08x}", crc32_of({begin, all.size()})), expected.get<std::string>());
      compared += 8;
    }
  }
  EXPECT_GT(compared, 2500);
}

TEST(ImageHash, LooksPastAlpha) {
  const Image rgba = lcg_picture(Mode::kRGBA, {30, 20}, 4);
  const Image rgb = converted(rgba, Mode::kRGB);
  for (int i = 0; i < 8; ++i) {
    const auto method = static_cast<HashMethod>(i);
    EXPECT_EQ(hash_of(rgba, method), hash_of(rgb, method)) << to_string(method);
  }
}

TEST(ImageHash, TakesSixteenBits) {
  const Image deep = lcg_picture(Mode::kRGB16, {30, 20}, 4);
  const Image narrow = converted(deep, Mode::kRGB);
  EXPECT_EQ(hash_of(deep, HashMethod::kPerceptual), hash_of(narrow, HashMethod::kPerceptual));
  EXPECT_EQ(hash_of(deep, HashMethod::kColor), hash_of(narrow, HashMethod::kColor));
}

TEST(ImageHash, CropResistantHasEachTilesHashInItsPlace) {
  const Image image = lcg_picture(Mode::kL, {41, 23}, 9);
  const std::string tiled = hash_of(image, HashMethod::kCropResistant, {.segments = 2});
  ASSERT_EQ(tiled.size(), 4u * 16);
  EXPECT_EQ(tiled.substr(16, 16), hash_of(crop(image, {20, 0, 21, 11}), HashMethod::kPerceptual));
  EXPECT_EQ(tiled.substr(32, 16), hash_of(crop(image, {0, 11, 20, 12}), HashMethod::kPerceptual));
}

TEST(ImageHash, WithoutPixelsIsABadRow) {
  const auto hash = image_hash(Image(Mode::kRGB, {0, 5}), HashMethod::kAverage, {});
  ASSERT_FALSE(hash.ok());
  EXPECT_THAT(hash.error().message, HasSubstr("without pixels"));
}

TEST(HashOptions, SayHowLongAHashIs) {
  EXPECT_EQ(hash_bytes(HashMethod::kPerceptual, {}), 8u);
  EXPECT_EQ(hash_bytes(HashMethod::kPerceptual, {.hash_size = 3}), 2u);
  EXPECT_EQ(hash_bytes(HashMethod::kColor, {}), 6u);
  EXPECT_EQ(hash_bytes(HashMethod::kCropResistant, {}), 72u);
  EXPECT_EQ(hash_bytes(HashMethod::kCropResistant, {.hash_size = 3, .segments = 2}), 5u);
}

std::string refusal(HashMethod method, const HashOptions& options) {
  try {
    check(method, options);
  } catch (const RequestError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(HashOptions, OutOfRangeAreWrongRequests) {
  EXPECT_EQ(refusal(HashMethod::kPerceptual, {.hash_size = 2}), "accepted");
  EXPECT_EQ(refusal(HashMethod::kPerceptual, {.hash_size = 1}),
            "image_hash: hash_size=1 is out of range; use 2 to 256");
  EXPECT_THAT(refusal(HashMethod::kColor, {.binbits = 0}), HasSubstr("binbits=0"));
  EXPECT_THAT(refusal(HashMethod::kCropResistant, {.segments = 65}), HasSubstr("segments=65"));
  EXPECT_EQ(refusal(HashMethod::kPerceptual, {.hash_size = 12}), "accepted");
  EXPECT_THAT(refusal(HashMethod::kWavelet, {.hash_size = 12}), HasSubstr("use 8"));
}

TEST(HashMethod, IsParsedOrItsNearestNameIsNamed) {
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(parse_hash_method(to_string(static_cast<HashMethod>(i))), static_cast<HashMethod>(i));
  try {
    parse_hash_method("dhash_vertcal");
    FAIL() << "accepted";
  } catch (const RequestError& error) {
    EXPECT_STREQ(error.what(),
                 "image_hash: method='dhash_vertcal' does not exist; did you mean "
                 "'dhash_vertical'?");
  }
}

}  // namespace
}  // namespace vecframe::image
