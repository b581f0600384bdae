// What probe() and decode() ask of each format. To add a format: one header reader, one decoder,
// and a line in each of the two dispatchers.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/result.h"
#include "image/byte_reader.h"
#include "image/decode_rows.h"
#include "image/image.h"
#include "image/probe.h"

namespace vecframe::image {

inline RowError decode_error(ErrorCode code, std::string message) {
  return RowError{Stage::kDecode, code, std::move(message)};
}

/// Zero sides are corrupt; more pixels than the limit are refused before anything is computed from
/// them.
Status check_size(Format format, std::uint64_t width, std::uint64_t height,
                  const DecodeLimits& limits);

inline std::uint64_t num_pixels(Size size) { return std::uint64_t{size.width} * size.height; }

/// Bytes of the decoded picture itself.
inline std::uint64_t image_bytes(Mode mode, Size size) {
  return num_pixels(size) * static_cast<std::uint64_t>(bytes_per_pixel(mode));
}

/// What a codec library allocates beside anything that grows with the picture: tables, states, row
/// pointers, and the rounding of allocations.
inline constexpr std::uint64_t kCodecOverheadBytes = 512 * 1024;

Result<ImageInfo> probe_jpeg(Bytes bytes, const DecodeLimits& limits);
Result<ImageInfo> probe_png(Bytes bytes, const DecodeLimits& limits);
Result<ImageInfo> probe_webp(Bytes bytes, const DecodeLimits& limits);
Result<ImageInfo> probe_gif(Bytes bytes, const DecodeLimits& limits);
Result<ImageInfo> probe_bmp(Bytes bytes, const DecodeLimits& limits);
Result<ImageInfo> probe_tiff(Bytes bytes, const DecodeLimits& limits);

/// The one decoder that heeds info.eighths.
Result<Image> decode_jpeg(Bytes bytes, const ImageInfo& info);
Status decode_jpeg_rows(Bytes bytes, const ImageInfo& info, RowSink& sink);
Result<Image> decode_png(Bytes bytes, const ImageInfo& info);
Result<Image> decode_webp(Bytes bytes, const ImageInfo& info);
Result<Image> decode_gif(Bytes bytes, const ImageInfo& info);
Result<Image> decode_bmp(Bytes bytes, const ImageInfo& info);
Result<Image> decode_tiff(Bytes bytes, const ImageInfo& info);

}  // namespace vecframe::image
