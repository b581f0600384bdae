#include "providers/remote/picture_url.h"

#include <gtest/gtest.h>

#include <vector>

#include "image/decode.h"
#include "image/probe.h"
#include "providers/http/base64.h"

namespace vecframe::providers {
namespace {

struct Pixels {
  std::vector<std::uint8_t> bytes;
  Picture picture;
};

Pixels gradient(int channels) {
  Pixels made;
  for (std::size_t i = 0; i < 5u * 3u * static_cast<std::size_t>(channels); ++i)
    made.bytes.push_back(static_cast<std::uint8_t>(i * 7));
  made.picture = {5, 3, channels, made.bytes, nullptr};
  return made;
}

std::vector<std::byte> file_in(const std::string& url, const std::string& prefix) {
  EXPECT_TRUE(url.starts_with(prefix)) << url;
  const auto bytes = decode_base64(std::string_view(url).substr(prefix.size()));
  return bytes.value_or(std::vector<std::byte>());
}

Result<image::Image> decoded(const std::vector<std::byte>& bytes) {
  const Result<image::ImageInfo> info = image::probe(bytes);
  if (!info.ok()) return info.error();
  return image::decode(bytes, *info);
}

TEST(PictureUrlTest, PngKeepsEveryPixelAsRgb) {
  for (const int channels : {1, 2, 3, 4}) {
    const Pixels pixels = gradient(channels);
    const Result<std::string> url = picture_url(pixels.picture, {});
    ASSERT_TRUE(url.ok());
    const auto picture = decoded(file_in(*url, "data:image/png;base64,"));
    ASSERT_TRUE(picture.ok());
    ASSERT_EQ(picture->mode(), image::Mode::kRGB);
    for (std::size_t pixel = 0; pixel < 15; ++pixel) {
      for (std::size_t c = 0; c < 3; ++c) {
        const std::size_t from = channels < 3 ? 0 : c;
        EXPECT_EQ(picture->pixels()[pixel * 3 + c],
                  pixels.bytes[pixel * static_cast<std::size_t>(channels) + from]);
      }
    }
  }
}

TEST(PictureUrlTest, OtherFormats) {
  const Pixels pixels = gradient(4);
  PictureEncoding encoding;
  encoding.format = image::Format::kJpeg;
  const auto jpeg = picture_url(pixels.picture, encoding);
  ASSERT_TRUE(jpeg.ok());
  EXPECT_TRUE(decoded(file_in(*jpeg, "data:image/jpeg;base64,")).ok());
  encoding.format = image::Format::kWebp;
  const auto webp = picture_url(pixels.picture, encoding);
  ASSERT_TRUE(webp.ok());
  EXPECT_TRUE(decoded(file_in(*webp, "data:image/webp;base64,")).ok());
}

TEST(PictureUrlTest, APictureWithoutPixelsHasNone) {
  EXPECT_FALSE(picture_url({0, 0, 3, {}, nullptr}, {}).ok());
}

}  // namespace
}  // namespace vecframe::providers
