// Small pictures of every format, mode and orientation: whole, cut off, and damaged.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>
#include <set>
#include <string>

#include "decode_goldens.h"
#include "image/decode.h"

namespace vecframe::image {
namespace {

template <class Visit>
void for_each_small(Visit visit) {
  const auto goldens = read_decode_goldens("small");
  ASSERT_GT(goldens.size(), 150u);
  for (const auto& item : goldens.items()) {
    const std::string& name = item.key();
    const nlohmann::json& golden = item.value();
    SCOPED_TRACE(name);
    visit(name, golden, bytes_of_hex(golden["bytes"].get<std::string>()));
  }
}

TEST(DecodeSmall, WholePicturesHaveThePixelsOfPillow) {
  std::set<std::string> formats;
  for_each_small([&](const std::string&, const nlohmann::json& golden, const auto& bytes) {
    const auto info = probe(bytes);
    ASSERT_TRUE(info.ok()) << info.error().to_string();
    formats.insert(std::string(to_string(info->format)));
    EXPECT_EQ(to_string(info->format), golden["format"].get<std::string>());
    EXPECT_EQ(info->orientation, golden["orientation"].get<int>());
    const auto image = upright_rgb(bytes);
    ASSERT_TRUE(image.ok()) << image.error().to_string();
    EXPECT_EQ(image->width(), golden["size"][0].get<std::uint32_t>());
    EXPECT_EQ(image->height(), golden["size"][1].get<std::uint32_t>());
    if (!golden.contains("rgb")) {
      EXPECT_EQ(crc32_of(*image), golden["rgb_crc32"].get<std::uint32_t>());
      return;
    }
    // Two builds of libjpeg may round differently.
    const auto expected = bytes_of_hex(golden["rgb"].get<std::string>());
    ASSERT_EQ(expected.size(), image->pixels().size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_LE(std::abs(std::to_integer<int>(expected[i]) - image->pixels()[i]), 2) << i;
    }
  });
  EXPECT_EQ(formats.size(), 6u);
}

// The mode says what the picture holds, not only how it looks in RGB.
TEST(DecodeSmall, ModesKeepWhatPillowKeeps) {
  const std::map<std::string, Mode> modes = {
      {"1", Mode::kL},       {"L", Mode::kL},      {"LA", Mode::kLA},    {"RGB", Mode::kRGB},
      {"RGBA", Mode::kRGBA}, {"CMYK", Mode::kRGB}, {"I;16", Mode::kL16}, {"YCbCr", Mode::kRGB},
      {"I", Mode::kL},       {"F", Mode::kL}};
  for_each_small([&](const std::string& name, const nlohmann::json& golden, const auto& bytes) {
    const auto info = probe(bytes);
    ASSERT_TRUE(info.ok());
    const auto mode = golden["mode"].get<std::string>();
    if (mode == "P") {
      const bool transparent = name.starts_with("transparent") || name.starts_with("palette-alpha");
      EXPECT_EQ(info->mode, transparent ? Mode::kRGBA : Mode::kRGB);
    } else {
      EXPECT_EQ(info->mode, modes.at(mode)) << mode;
    }
  });
}

// Every shorter length of every picture. Where Pillow decodes one (what is missing is behind the
// last pixel) so do we; otherwise it is an error, never a padded picture.
TEST(DecodeSmall, CutOffPicturesAreRefusedWherePillowRefusesThem) {
  int lengths = 0;
  for_each_small([&](const std::string&, const nlohmann::json& golden, const auto& bytes) {
    const auto& cut_off_at = golden["decodes_cut_off_at"];
    const std::set<std::size_t> accepted(cut_off_at.begin(), cut_off_at.end());
    for (std::size_t length = 0; length < bytes.size(); ++length, ++lengths) {
      // A fresh copy, so that a sanitizer sees a read behind the end.
      const std::vector<std::byte> part(bytes.begin(), bytes.begin() + static_cast<long>(length));
      const auto image = upright_rgb(part);
      EXPECT_EQ(image.ok(), accepted.count(length) == 1)
          << length << " of " << bytes.size() << ": "
          << (image.ok() ? "decoded" : image.error().to_string());
      if (image.ok()) continue;
      EXPECT_EQ(image.error().stage, Stage::kDecode);
      EXPECT_EQ(image.error().code == ErrorCode::kEmpty, length == 0);
    }
  });
  EXPECT_GT(lengths, 10'000);
}

// Damage has no right answer but one: a picture of the size that probe() said, or an error.
TEST(DecodeSmall, DamagedPicturesDoNoHarm) {
  std::mt19937 random(20261124);
  const DecodeLimits limits{.max_pixels = 1 << 16};
  for_each_small([&](const std::string&, const nlohmann::json&, const auto& bytes) {
    for (int round = 0; round < 200; ++round) {
      auto damaged = bytes;
      const int hits = 1 + static_cast<int>(random() % 4);
      for (int i = 0; i < hits; ++i) {
        damaged[random() % damaged.size()] = static_cast<std::byte>(random());
      }
      const auto image = upright_rgb(damaged, limits);
      if (image.ok()) {
        EXPECT_LE(std::uint64_t{image->width()} * image->height(), limits.max_pixels);
      } else {
        EXPECT_EQ(image.error().stage, Stage::kDecode);
        EXPECT_NE(image.error().code, ErrorCode::kBadOutput) << image.error().message;
      }
    }
  });
}

TEST(Probe, TellsWhyItRefuses) {
  EXPECT_EQ(probe({}).error().code, ErrorCode::kEmpty);
  const std::string text = "just text, longer than any header that is looked at";
  EXPECT_EQ(probe(std::as_bytes(std::span(text))).error().code, ErrorCode::kUnknownFormat);
}

TEST(Probe, RefusesMorePixelsThanTheLimitBeforeAnythingElse) {
  for_each_small([](const std::string&, const nlohmann::json& golden, const auto& bytes) {
    const auto width = golden["size"][0].get<std::uint64_t>();
    const std::uint64_t pixels = width * golden["size"][1].get<std::uint64_t>();
    EXPECT_TRUE(probe(bytes, {.max_pixels = pixels}).ok());
    const auto refused = probe(bytes, {.max_pixels = pixels - 1});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::kTooManyPixels);
    EXPECT_EQ(refused.error().to_string().substr(0, 23), "decode/too_many_pixels:");
  });
}

}  // namespace
}  // namespace vecframe::image
