#include <webp/decode.h>

#include <algorithm>

#include "image/codec.h"
#include "image/exif.h"

namespace vecframe::image {
namespace {

constexpr std::uint8_t kExifFlag = 0x08, kXmpFlag = 0x04;

struct Chunks {
  Metadata metadata;
  std::uint64_t count = 0;
  bool has_alpha_plane = false;
};

// The chunks of an extended file; only the first of each kind counts, and only if it is announced.
Chunks walk_chunks(Bytes file) {
  Chunks chunks;
  if (!has_prefix(file.subspan(12), "VP8X") || file.size() < 30) return chunks;
  const std::uint8_t flags = load_u8(file, 20);
  const std::uint64_t end = std::min<std::uint64_t>(file.size(), load_le32(file, 4) + 8ull);
  for (std::uint64_t position = 12; position + 8 <= end; ++chunks.count) {
    const Bytes name = file.subspan(position, 4);
    const std::uint64_t size = load_le32(file, position + 4);
    position += 8;
    if (!contains(file, position, size)) break;
    const Bytes data = file.subspan(position, size);
    if (has_prefix(name, "EXIF") && (flags & kExifFlag) && !chunks.metadata.exif && size > 0) {
      chunks.metadata.exif = data;
    } else if (has_prefix(name, "XMP ") && (flags & kXmpFlag) && !chunks.metadata.xmp && size > 0) {
      chunks.metadata.xmp = data;
    } else if (has_prefix(name, "ALPH")) {
      chunks.has_alpha_plane = true;
    }
    position += size + size % 2;
  }
  return chunks;
}

// What libwebp allocates beside the output.
//
// Lossless data: the picture in 32 bits, some rows of cache, three sub-pictures of at most a
// sixteenth each, and the prefix code tables. The file chooses how many of those there are;
// libwebp's encoder never writes more than 2600 groups, so that is what is counted for: a file made
// to have 65 536 can take 1.3 GB.
std::uint64_t working_bytes(const WebPBitstreamFeatures& features, const Chunks& chunks,
                            std::uint64_t file_size) {
  const auto width = static_cast<std::uint64_t>(features.width);
  const auto height = static_cast<std::uint64_t>(features.height);
  // Lossy: a row of macroblocks with its filter and prediction contexts, 16 rows of three planes.
  std::uint64_t bytes = kCodecOverheadBytes + width * 256 + chunks.count * 128;
  constexpr int kLossy = 1;
  if (features.format != kLossy || features.has_alpha || chunks.has_alpha_plane) {
    constexpr std::uint64_t kMostGroups = 2600, kGroupBytes = 20'700, kLeastGroupBits = 20;
    const std::uint64_t groups = std::min(
        {kMostGroups, ((width + 3) / 4) * ((height + 3) / 4), file_size * 8 / kLeastGroupBits});
    bytes += width * height * 19 / 4 + width * 72 + groups * kGroupBytes;
    if (features.format == kLossy || features.has_animation) bytes += width * height;
  }
  return bytes;
}

}  // namespace

Result<ImageInfo> probe_webp(Bytes bytes, const DecodeLimits& limits) {
  WebPBitstreamFeatures features;
  const VP8StatusCode status = WebPGetFeatures(as_uchar(bytes), bytes.size(), &features);
  if (status == VP8_STATUS_NOT_ENOUGH_DATA) {
    return decode_error(ErrorCode::kTruncated, "webp header ends too soon");
  }
  if (status != VP8_STATUS_OK)
    return decode_error(ErrorCode::kCorrupt, "webp with a broken header");
  if (const Status size = check_size(Format::kWebp, static_cast<std::uint64_t>(features.width),
                                     static_cast<std::uint64_t>(features.height), limits);
      !size.ok()) {
    return size.error();
  }
  const Chunks chunks = walk_chunks(bytes);
  ImageInfo info;
  info.format = Format::kWebp;
  info.size = {static_cast<std::uint32_t>(features.width),
               static_cast<std::uint32_t>(features.height)};
  info.mode = features.has_alpha ? Mode::kRGBA : Mode::kRGB;
  info.orientation = orientation_of(chunks.metadata);
  info.decode_bytes =
      image_bytes(info.mode, info.size) + working_bytes(features, chunks, bytes.size());
  return info;
}

}  // namespace vecframe::image
