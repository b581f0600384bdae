// What a file says it is, from its header, without decoding it.
//
// The executor reserves memory for a picture before it decodes it, so this runs on untrusted bytes
// for every row: no throw, no read outside the span, no allocation that a header could inflate.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/result.h"
#include "image/image.h"

namespace vecframe::image {

enum class Format : std::uint8_t { kJpeg, kPng, kWebp, kGif, kBmp, kTiff };

/// Lower case, as the `format` column shows it: "jpeg", "png", "webp", "gif", "bmp", "tiff".
std::string_view to_string(Format format);

/// Pillow's own limit for a decompression bomb error is twice its MAX_IMAGE_PIXELS of 89 478 485.
inline constexpr std::uint64_t kDefaultMaxPixels = 178'956'970;

struct DecodeLimits {
  std::uint64_t max_pixels = kDefaultMaxPixels;
};

struct ImageInfo {
  Format format = Format::kJpeg;
  Size size;                     ///< as stored, before orientation
  Mode mode = Mode::kRGB;        ///< what decode() will return
  std::uint8_t orientation = 1;  ///< EXIF orientation, 1..8; 1 when absent or invalid
  /// Upper bound, in bytes, of what decode() holds at its peak, its result included. One exception:
  /// lossless WebP is counted with the most code tables that libwebp's encoder writes, 54 MB; a
  /// file made for it can hold 1.3 GB of them.
  std::uint64_t decode_bytes = 0;
  /// Of JPEG: decode_bytes where half, a quarter and an eighth of the size are decoded; else zeros.
  std::array<std::uint64_t, 3> reduced_bytes{};
  /// Of JPEG: how many eighths of the size decode() gives: 8, 4, 2 or 1. See reduce.h.
  std::uint8_t eighths = 8;

  /// Of what decode() gives; sides are rounded up.
  Size decoded_size() const {
    const auto side = [this](std::uint32_t full) {
      return static_cast<std::uint32_t>((std::uint64_t{full} * eighths + 7) / 8);
    };
    return {side(size.width), side(size.height)};
  }
};

/// Errors (stage decode): empty, unknown_format, truncated, corrupt, unsupported, too_many_pixels.
Result<ImageInfo> probe(std::span<const std::byte> bytes, const DecodeLimits& limits = {});

}  // namespace vecframe::image
