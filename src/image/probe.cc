#include "image/probe.h"

#include <algorithm>
#include <string>

#include "image/codec.h"

namespace vecframe::image {
namespace {

// Keeps every size computed from a pixel count far inside 64 bits, whatever limit is set.
constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 40;

}  // namespace

std::string_view to_string(Format format) {
  switch (format) {
    case Format::kJpeg:
      return "jpeg";
    case Format::kPng:
      return "png";
    case Format::kWebp:
      return "webp";
    case Format::kGif:
      return "gif";
    case Format::kBmp:
      return "bmp";
    case Format::kTiff:
      return "tiff";
  }
  return "";
}

Status check_size(Format format, std::uint64_t width, std::uint64_t height,
                  const DecodeLimits& limits) {
  if (width == 0 || height == 0) {
    return decode_error(ErrorCode::kCorrupt,
                        std::string(to_string(format)) + " header with a side of 0 pixels");
  }
  const std::uint64_t most = std::min(limits.max_pixels, kMostPixels);
  if (width > 0xFFFFFFFFu || height > 0xFFFFFFFFu || width > most || height > most / width) {
    return decode_error(ErrorCode::kTooManyPixels,
                        std::to_string(width) + "x" + std::to_string(height) +
                            " pixels are more than the limit of " + std::to_string(most));
  }
  return Done{};
}

Result<ImageInfo> probe(std::span<const std::byte> bytes, const DecodeLimits& limits) {
  if (bytes.empty()) return decode_error(ErrorCode::kEmpty, "no bytes");
  if (has_prefix(bytes, "\xFF\xD8\xFF")) return probe_jpeg(bytes, limits);
  if (has_prefix(bytes, "\x89PNG\r\n\x1A\n")) return probe_png(bytes, limits);
  return decode_error(ErrorCode::kUnknownFormat, "not a JPEG, PNG, WebP, GIF, BMP or TIFF picture");
}

}  // namespace vecframe::image
