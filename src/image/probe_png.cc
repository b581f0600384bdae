#include <utility>

#include "image/codec.h"
#include "image/png_chunks.h"

namespace vecframe::image {
namespace {

// Pillow's modes: palettes expand to colours, 16 bits survive only in plain gray, and 16-bit gray
// with alpha becomes RGBA.
Mode mode_of(const PngHeader& header) {
  const bool deep = header.depth == 16;
  switch (header.colour_type) {
    case 0:
      return deep ? Mode::kL16 : Mode::kL;
    case 2:
      return Mode::kRGB;
    case 3:
      return header.transparency ? Mode::kRGBA : Mode::kRGB;
    case 4:
      return deep ? Mode::kRGBA : Mode::kLA;
    default:
      return Mode::kRGBA;
  }
}

}  // namespace

Result<ImageInfo> probe_png(Bytes bytes, const DecodeLimits& limits) {
  auto header = read_png_header(bytes);
  if (!header.ok()) return std::move(header).error();
  if (const Status size = check_size(Format::kPng, header->size.width, header->size.height, limits);
      !size.ok()) {
    return size.error();
  }
  ImageInfo info;
  info.format = Format::kPng;
  info.size = header->size;
  info.mode = mode_of(*header);
  info.orientation = orientation_of(header->metadata);
  // libpng holds this row and the one before, as stored (up to 8 bytes a pixel), with some slack.
  info.decode_bytes = image_bytes(info.mode, info.size) +
                      3 * (std::uint64_t{info.size.width} * 8 + 64) + kCodecOverheadBytes;
  return info;
}

}  // namespace vecframe::image
