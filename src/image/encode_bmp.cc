// BMP by hand, as it is read: rows from below, padded to four bytes; 8 bits with a gray palette, 24
// bits, or 32 bits under a version 4 header, which alone announces alpha.
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "image/encoder.h"

namespace vecframe::image {
namespace {

constexpr std::uint32_t kFileHeaderSize = 14, kInfoHeaderSize = 40, kVersion4Size = 108;
constexpr std::uint32_t kBitFields = 3;

std::uint32_t stored_channels(Mode mode) {
  return mode == Mode::kLA ? 4 : static_cast<std::uint32_t>(num_channels(mode));
}

class Fields {
 public:
  void u16(std::uint32_t value) {
    bytes_.push_back(static_cast<std::uint8_t>(value));
    bytes_.push_back(static_cast<std::uint8_t>(value >> 8));
  }
  void u32(std::uint32_t value) {
    u16(value & 0xFFFF);
    u16(value >> 16);
  }
  void zeros(std::size_t count) { bytes_.resize(bytes_.size() + count); }
  std::size_t size() const { return bytes_.size(); }
  const std::uint8_t* data() const { return bytes_.data(); }

 private:
  std::vector<std::uint8_t> bytes_;
};

Fields header_of(const Image& image, std::uint32_t row_bytes) {
  const std::uint32_t channels = stored_channels(image.mode());
  const std::uint32_t colours = channels == 1 ? 256 : 0;
  const std::uint32_t info = channels == 4 ? kVersion4Size : kInfoHeaderSize;
  const std::uint32_t begin = kFileHeaderSize + info + 4 * colours;
  const std::uint32_t pixels = row_bytes * image.height();
  Fields fields;
  fields.u16('B' | 'M' << 8);
  fields.u32(begin + pixels);
  fields.u32(0);
  fields.u32(begin);
  fields.u32(info);
  fields.u32(image.width());
  fields.u32(image.height());
  fields.u16(1);  // planes
  fields.u16(8 * channels);
  fields.u32(channels == 4 ? kBitFields : 0);
  fields.u32(pixels);
  fields.u32(0);  // no resolution
  fields.u32(0);
  fields.u32(colours);
  fields.u32(0);
  if (channels == 4) {
    for (const std::uint32_t mask : {0xFF0000u, 0xFF00u, 0xFFu, 0xFF000000u}) fields.u32(mask);
    fields.u32('s' << 24 | 'R' << 16 | 'G' << 8 | 'B');
    fields.zeros(kFileHeaderSize + kVersion4Size - fields.size());
  }
  for (std::uint32_t i = 0; i < colours; ++i) fields.u32(i * 0x010101);
  return fields;
}

// One row as it is stored: blue first, gray with alpha as colours with alpha.
void pack_row(const std::uint8_t* in, std::size_t width, Mode mode, std::uint8_t* out) {
  switch (mode) {
    case Mode::kLA:
      for (std::size_t x = 0; x < width; ++x, in += 2, out += 4) {
        out[0] = out[1] = out[2] = in[0];
        out[3] = in[1];
      }
      return;
    case Mode::kRGB:
      for (std::size_t x = 0; x < width; ++x, in += 3, out += 3) {
        out[0] = in[2];
        out[1] = in[1];
        out[2] = in[0];
      }
      return;
    case Mode::kRGBA:
      for (std::size_t x = 0; x < width; ++x, in += 4, out += 4) {
        out[0] = in[2];
        out[1] = in[1];
        out[2] = in[0];
        out[3] = in[3];
      }
      return;
    default:
      std::memcpy(out, in, width);
  }
}

}  // namespace

Status encode_bmp(const Image& image, ByteSink& sink) {
  const std::uint32_t channels = stored_channels(image.mode());
  const std::uint32_t row_bytes = (image.width() * channels + 3) / 4 * 4;
  const Fields header = header_of(image, row_bytes);
  sink.reserve(header.size() + std::uint64_t{row_bytes} * image.height());
  if (!sink.append(header.data(), header.size())) return Done{};
  std::vector<std::uint8_t> row(row_bytes);
  for (std::uint32_t y = image.height(); y-- > 0;) {
    pack_row(image.row(y), image.width(), image.mode(), row.data());
    if (!sink.append(row.data(), row.size())) break;
  }
  return Done{};
}

}  // namespace vecframe::image
