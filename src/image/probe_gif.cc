#include <algorithm>
#include <utility>

#include "image/codec.h"
#include "image/gif_frame.h"

namespace vecframe::image {
namespace {

constexpr std::uint8_t kExtension = 0x21, kFrame = 0x2C, kTrailer = 0x3B;
constexpr std::uint8_t kGraphicControl = 0xF9;

RowError truncated() {
  return decode_error(ErrorCode::kTruncated, "gif ends before its first frame");
}

// A palette that maps each value to itself is no palette to Pillow.
Bytes unless_gray_ramp(Bytes palette) {
  for (std::size_t i = 0; 3 * i + 2 < palette.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      if (load_u8(palette, 3 * i + c) != i) return palette;
    }
  }
  return {};
}

// Reads one sub-block at `position` and moves past it; nothing at a terminator or the end.
std::optional<Bytes> next_block(Bytes file, std::uint64_t& position) {
  if (position >= file.size()) return std::nullopt;
  const std::size_t size = load_u8(file, position++);
  if (size == 0) return std::nullopt;
  const std::size_t there = std::min<std::size_t>(size, file.size() - position);
  const Bytes block = file.subspan(position, there);
  position += there;
  return block;
}

}  // namespace

Result<GifFrame> find_gif_frame(Bytes file) {
  if (file.size() < 13) return truncated();
  GifFrame frame;
  frame.canvas = {load_le16(file, 6), load_le16(file, 8)};
  std::uint64_t position = 13;
  if (const std::uint8_t flags = load_u8(file, 10); flags & 0x80) {
    const std::size_t size = std::size_t{6} << (flags & 7);
    if (!contains(file, position, size)) return truncated();
    frame.palette = unless_gray_ramp(file.subspan(position, size));
    position += size;
  }
  while (position < file.size()) {
    const std::uint8_t kind = load_u8(file, position++);
    if (kind == kTrailer) break;
    if (kind == kExtension) {
      if (position >= file.size()) break;
      const std::uint8_t label = load_u8(file, position++);
      const auto block = next_block(file, position);
      if (label == kGraphicControl && block) {
        if (block->size() < 4) {
          return decode_error(ErrorCode::kCorrupt, "gif with a short graphic control extension");
        }
        if (load_u8(*block, 0) & 1) frame.transparent = load_u8(*block, 3);
      }
      while (next_block(file, position)) {
      }
    } else if (kind == kFrame) {
      if (!contains(file, position, 9)) break;
      frame.left = load_le16(file, position);
      frame.top = load_le16(file, position + 2);
      frame.width = load_le16(file, position + 4);
      frame.height = load_le16(file, position + 6);
      const std::uint8_t flags = load_u8(file, position + 8);
      position += 9;
      frame.interlaced = (flags & 0x40) != 0;
      if (flags & 0x80) {
        const std::size_t size = std::size_t{6} << (flags & 7);
        if (!contains(file, position, size)) break;
        frame.palette = unless_gray_ramp(file.subspan(position, size));
        position += size;
      }
      if (position >= file.size()) break;
      frame.data_position = position;
      if (frame.width == 0 || frame.height == 0) {
        return decode_error(ErrorCode::kCorrupt, "gif with an empty frame");
      }
      frame.canvas.width = std::max(frame.canvas.width, frame.left + frame.width);
      frame.canvas.height = std::max(frame.canvas.height, frame.top + frame.height);
      return frame;
    }
  }
  return truncated();
}

Result<ImageInfo> probe_gif(Bytes bytes, const DecodeLimits& limits) {
  auto frame = find_gif_frame(bytes);
  if (!frame.ok()) return std::move(frame).error();
  if (const Status size =
          check_size(Format::kGif, frame->canvas.width, frame->canvas.height, limits);
      !size.ok()) {
    return size.error();
  }
  ImageInfo info;
  info.format = Format::kGif;
  info.size = frame->canvas;
  info.mode = frame->mode();
  info.decode_bytes = image_bytes(info.mode, info.size) + kCodecOverheadBytes;
  return info;
}

}  // namespace vecframe::image
