// decode_bytes is what the executor reserves for a picture: an upper bound of what decode() takes.
#include <gtest/gtest.h>
#include <png.h>
#include <webp/encode.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "allocation_meter.h"
#include "decode_goldens.h"
#include "image/decode.h"
#include "image/reduce.h"
#include "jpeg_file.h"

namespace vecframe::image {
namespace {

using Encoded = std::vector<std::byte>;

Encoded encoded(const void* data, std::size_t size) {
  const auto* begin = static_cast<const std::byte*>(data);
  return {begin, begin + size};
}

std::vector<std::uint8_t> noise(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  std::uint32_t state = 1;
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

Encoded make_jpeg(std::uint32_t width, std::uint32_t height, bool progressive, int sampling) {
  const auto row = noise(std::size_t{width} * 3);
  return jpeg_file({.sampling = sampling, .progressive = progressive}, {width, height},
                   [&](std::uint32_t /*y*/, std::span<std::uint8_t> to) {
                     std::copy(row.begin(), row.end(), to.begin());
                   });
}

Encoded make_png(png_uint_32 width, png_uint_32 height, png_uint_32 format) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = width;
  image.height = height;
  image.format = format;
  const auto pixels = noise(PNG_IMAGE_SIZE(image));
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  Encoded result(size);
  EXPECT_TRUE(
      png_image_write_to_memory(&image, result.data(), &size, 0, pixels.data(), 0, nullptr));
  result.resize(size);
  return result;
}

Encoded make_webp(int width, int height, bool lossless) {
  const auto pixels = noise(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4);
  std::uint8_t* data = nullptr;
  const std::size_t size =
      lossless ? WebPEncodeLosslessRGBA(pixels.data(), width, height, width * 4, &data)
               : WebPEncodeRGBA(pixels.data(), width, height, width * 4, 60, &data);
  Encoded result = encoded(data, size);
  WebPFree(data);
  return result;
}

// How much of the reserved bytes decode() used at its peak.
void expect_within_bound(const std::string& name, const Encoded& bytes, double least_use,
                         double shrink = 1) {
  SCOPED_TRACE(name + ", shrinks " + std::to_string(shrink));
  auto info = probe(bytes);
  ASSERT_TRUE(info.ok()) << info.error().to_string();
  *info = reduced(*info, shrink);
  const AllocationMeter meter;
  const auto image = decode(bytes, *info);
  ASSERT_TRUE(image.ok()) << image.error().to_string();
  EXPECT_GT(meter.peak(), 0) << "nothing was measured";
  EXPECT_LE(meter.peak(), static_cast<std::int64_t>(info->decode_bytes));
  EXPECT_GE(static_cast<double>(meter.peak()), least_use * static_cast<double>(info->decode_bytes))
      << "the bound is far too large: " << info->decode_bytes;
}

class DecodeMemory : public testing::Test {
 protected:
  void SetUp() override {
    if (!can_meter_allocations()) GTEST_SKIP() << "the sanitizer replaces malloc";
  }
};

TEST_F(DecodeMemory, LargePicturesStayWithinTheirBoundWhichIsTight) {
  for (const bool progressive : {false, true}) {
    for (const int sampling : {1, 2}) {
      expect_within_bound("jpeg", make_jpeg(2501, 1999, progressive, sampling), 0.7);
      expect_within_bound("wide jpeg", make_jpeg(65'000, 9, progressive, sampling), 0.2);
    }
  }
  expect_within_bound("rgb png", make_png(1501, 999, PNG_FORMAT_RGB), 0.7);
  expect_within_bound("rgba png", make_png(1501, 999, PNG_FORMAT_RGBA), 0.7);
  expect_within_bound("gray png", make_png(1501, 999, PNG_FORMAT_GRAY), 0.6);
  // Lossless WebP may bring so many tables of codes that their bound outweighs the picture.
  expect_within_bound("lossless webp", make_webp(701, 499, /*lossless=*/true), 0);
  expect_within_bound("lossy webp with alpha", make_webp(701, 499, /*lossless=*/false), 0);
}

TEST_F(DecodeMemory, ReducedPicturesStayWithinTheirOwnBound) {
  for (const double shrink : {4.0, 8.0, 16.0}) {
    for (const bool progressive : {false, true}) {
      for (const int sampling : {1, 2}) {
        expect_within_bound("jpeg", make_jpeg(4003, 3001, progressive, sampling), 0.3, shrink);
        expect_within_bound("wide jpeg", make_jpeg(65'000, 9, progressive, sampling), 0.05, shrink);
      }
    }
  }
}

TEST_F(DecodeMemory, SmallPicturesOfEveryFormatStayWithinTheirBound) {
  const auto goldens = read_decode_goldens("small");
  for (const auto& item : goldens.items()) {
    const std::string& name = item.key();
    const nlohmann::json& golden = item.value();
    for (const double shrink : {1.0, 4.0, 8.0, 16.0})
      expect_within_bound(name, bytes_of_hex(golden["bytes"].get<std::string>()), 0, shrink);
  }
}

}  // namespace
}  // namespace vecframe::image
