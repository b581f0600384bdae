// The marker segments of a JPEG up to its first scan, walked as Pillow walks them.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "image/codec.h"
#include "image/exif.h"

namespace vecframe::image {
namespace {

constexpr std::string_view kXmpName{"http://ns.adobe.com/xap/1.0/\0", 29};

struct Component {
  std::uint8_t id = 0, horizontal = 1, vertical = 1;
};

struct Frame {
  std::uint32_t width = 0, height = 0;
  int num_components = 0;
  bool progressive = false;
  std::array<Component, 4> components{};
};

RowError truncated() { return decode_error(ErrorCode::kTruncated, "jpeg header ends too soon"); }
RowError corrupt(const char* what) { return decode_error(ErrorCode::kCorrupt, what); }

bool is_frame_marker(std::uint8_t marker) {
  // DHT, JPG and DAC lie among the frame markers; DHP has a frame's layout.
  return (marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC) ||
         marker == 0xDE;
}

bool has_no_segment(std::uint8_t marker) {
  return (marker >= 0xD0 && marker <= 0xD9) || (marker >= 0xF0 && marker <= 0xFD) || marker == 0xC8;
}

Result<Frame> read_frame(std::uint8_t marker, Bytes segment) {
  if (segment.size() < 6) return corrupt("jpeg frame header is too short");
  Frame frame;
  frame.height = load_be16(segment, 1);
  frame.width = load_be16(segment, 3);
  frame.num_components = load_u8(segment, 5);
  frame.progressive = marker == 0xC2 || marker == 0xC6 || marker == 0xCA || marker == 0xCE;
  if (load_u8(segment, 0) != 8) {
    return decode_error(ErrorCode::kUnsupported, "jpeg with other than 8 bits a sample");
  }
  if (frame.num_components != 1 && frame.num_components != 3 && frame.num_components != 4) {
    return decode_error(ErrorCode::kUnsupported,
                        "jpeg with " + std::to_string(frame.num_components) + " components");
  }
  const auto count = static_cast<std::size_t>(frame.num_components);
  if (segment.size() < 6 + 3 * count) return corrupt("jpeg frame header is too short");
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t sampling = load_u8(segment, 7 + 3 * i);
    frame.components[i] = {load_u8(segment, 6 + 3 * i), static_cast<std::uint8_t>(sampling >> 4),
                           static_cast<std::uint8_t>(sampling & 15)};
    if (sampling >> 4 == 0 || sampling >> 4 > 4 || (sampling & 15) == 0 || (sampling & 15) > 4) {
      return corrupt("jpeg with a bad sampling factor");
    }
  }
  return frame;
}

bool quantization_tables_fit(Bytes segment) {
  while (!segment.empty()) {
    const std::size_t size = load_u8(segment, 0) >> 4 == 0 ? 65 : 129;
    if (segment.size() < size) return false;
    segment = segment.subspan(size);
  }
  return true;
}

// libjpeg decodes a scan of all components row by row; otherwise it holds all coefficients. A block
// becomes `eighths` pixels a side; of a component with fewer samples it may become more, which then
// need no upsampling.
std::uint64_t working_bytes(const Frame& frame, int components_in_scan, std::uint64_t eighths) {
  std::uint64_t horizontal = 1, vertical = 1;
  for (int i = 0; i < frame.num_components; ++i) {
    horizontal = std::max<std::uint64_t>(horizontal, frame.components[i].horizontal);
    vertical = std::max<std::uint64_t>(vertical, frame.components[i].vertical);
  }
  const std::uint64_t mcus_across = (frame.width + 8 * horizontal - 1) / (8 * horizontal);
  const std::uint64_t mcus_down = (frame.height + 8 * vertical - 1) / (8 * vertical);
  std::uint64_t blocks_per_mcu = 0;
  for (int i = 0; i < frame.num_components; ++i) {
    blocks_per_mcu += frame.components[i].horizontal * frame.components[i].vertical;
  }
  const auto components = static_cast<std::uint64_t>(frame.num_components);
  // A padded row of every component, at full width, is what the buffers of samples count in: the
  // upsampler holds one group of rows, the main controller up to four groups with context rows.
  const std::uint64_t row = mcus_across * eighths * horizontal * components;
  std::uint64_t bytes = row * (vertical * eighths * 5 + vertical + 8);
  if (frame.progressive || components_in_scan < frame.num_components) {
    // 64 coefficients of 2 bytes, and one array row to spare for each component.
    bytes += mcus_across * (mcus_down + 4) * blocks_per_mcu * 128;
  }
  return bytes + kCodecOverheadBytes;
}

}  // namespace

Result<ImageInfo> probe_jpeg(Bytes bytes, const DecodeLimits& limits) {
  std::optional<Frame> frame;
  Metadata metadata;
  std::vector<std::byte> joined_exif;  // only when the EXIF block spans several segments
  std::size_t position = 2;
  for (;;) {
    // To the next marker; bytes between segments and fill bytes are skipped.
    while (position < bytes.size() && load_u8(bytes, position) != 0xFF) ++position;
    while (position < bytes.size() && load_u8(bytes, position) == 0xFF) ++position;
    if (position >= bytes.size()) return truncated();
    const std::uint8_t marker = load_u8(bytes, position++);
    if (marker == 0x00 || has_no_segment(marker)) continue;
    if (marker < 0xC0) return corrupt("jpeg with an invalid marker");

    if (!contains(bytes, position, 2)) return truncated();
    const std::size_t length = std::max<std::size_t>(load_be16(bytes, position), 2);
    if (!contains(bytes, position, length)) return truncated();
    const Bytes segment = bytes.subspan(position + 2, length - 2);
    position += length;

    if (is_frame_marker(marker)) {
      auto read = read_frame(marker, segment);
      if (!read.ok()) return std::move(read).error();
      frame = *read;
    } else if (marker == 0xDB && !quantization_tables_fit(segment)) {
      return corrupt("jpeg with a short quantization table");
    } else if (marker == 0xE1 && has_prefix(segment, {"Exif\0\0", 6})) {
      if (!metadata.exif) {
        metadata.exif = segment;
      } else {
        if (joined_exif.empty()) joined_exif.assign(metadata.exif->begin(), metadata.exif->end());
        joined_exif.insert(joined_exif.end(), segment.begin() + 6, segment.end());
        metadata.exif = joined_exif;
      }
    } else if (marker == 0xE1 && has_prefix(segment, kXmpName)) {
      metadata.xmp = segment.subspan(kXmpName.size());
    } else if ((marker == 0xE0 && has_prefix(segment, "JFIF") && segment.size() < 7) ||
               (marker == 0xEE && has_prefix(segment, "Adobe") && segment.size() < 7)) {
      return corrupt("jpeg with a short application segment");
    } else if (marker == 0xDA) {
      if (!frame) return corrupt("jpeg scan without a frame");
      if (const Status size = check_size(Format::kJpeg, frame->width, frame->height, limits);
          !size.ok()) {
        return size.error();
      }
      ImageInfo info;
      info.format = Format::kJpeg;
      info.size = {frame->width, frame->height};
      info.mode = frame->num_components == 1 ? Mode::kL : Mode::kRGB;
      info.orientation = orientation_of(metadata);
      const int components_in_scan = segment.empty() ? 0 : load_u8(segment, 0);
      const auto bytes_at = [&](std::uint8_t eighths) {
        info.eighths = eighths;
        return image_bytes(info.mode, info.decoded_size()) +
               working_bytes(*frame, components_in_scan, eighths);
      };
      info.reduced_bytes = {bytes_at(4), bytes_at(2), bytes_at(1)};
      info.decode_bytes = bytes_at(8);
      return info;
    }
  }
}

}  // namespace vecframe::image
