#include "image/probe.h"

#include <algorithm>
#include <string>

#include "image/codec.h"

namespace vecframe::image {
namespace {

// Keeps every size computed from a pixel count far inside 64 bits, whatever limit is set.
constexpr std::uint64_t kMostPixels = std::uint64_t{1} << 40;

bool is_tiff(Bytes bytes) {
  for (const std::string_view prefix :
       {std::string_view("MM\0\x2a", 4), std::string_view("II\x2a\0", 4),
        std::string_view("MM\x2a\0", 4), std::string_view("II\0\x2a", 4),
        std::string_view("MM\0\x2b", 4), std::string_view("II\x2b\0", 4)}) {
    if (has_prefix(bytes, prefix)) return true;
  }
  return false;
}

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
  if (has_prefix(bytes, "GIF87a") || has_prefix(bytes, "GIF89a")) return probe_gif(bytes, limits);
  if (has_prefix(bytes, "RIFF") && bytes.size() >= 16 && has_prefix(bytes.subspan(8), "WEBPVP8")) {
    const char last = static_cast<char>(load_u8(bytes, 15));
    if (last == ' ' || last == 'L' || last == 'X') return probe_webp(bytes, limits);
  }
  if (is_tiff(bytes)) return probe_tiff(bytes, limits);
  if (has_prefix(bytes, "BM")) return probe_bmp(bytes, limits);
  return decode_error(ErrorCode::kUnknownFormat, "not a JPEG, PNG, WebP, GIF, BMP or TIFF picture");
}

}  // namespace vecframe::image
