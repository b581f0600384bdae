#include <algorithm>
#include <string>
#include <utility>

#include "image/bmp_header.h"
#include "image/codec.h"

namespace vecframe::image {
namespace {

constexpr std::size_t kFileHeaderSize = 14;
constexpr std::uint32_t kCoreHeaderSize = 12;
enum Compression : std::uint32_t { kRaw = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3 };

RowError truncated() { return decode_error(ErrorCode::kTruncated, "bmp header ends too soon"); }
RowError unsupported(const std::string& what) {
  return decode_error(ErrorCode::kUnsupported, "bmp with " + what);
}

struct Masks {
  std::uint32_t red = 0, green = 0, blue = 0, alpha = 0;
};

struct Layout32 {
  Masks masks;
  std::array<std::uint8_t, 4> channels;
  bool has_alpha;
};

// The layouts of 32 bits that Pillow reads; it looks them up, it does not compute them.
constexpr Layout32 kLayouts32[] = {
    {{0xFF0000, 0xFF00, 0xFF, 0}, {2, 1, 0, 3}, false},
    {{0xFF000000, 0xFF0000, 0xFF00, 0}, {3, 2, 1, 0}, false},
    {{0xFF000000, 0xFF00, 0xFF, 0}, {3, 1, 0, 2}, false},
    {{0xFF000000, 0xFF0000, 0xFF00, 0xFF}, {3, 2, 1, 0}, true},
    {{0xFF, 0xFF00, 0xFF0000, 0xFF000000}, {0, 1, 2, 3}, true},
    {{0xFF0000, 0xFF00, 0xFF, 0xFF000000}, {2, 1, 0, 3}, true},
    {{0xFF000000, 0xFF00, 0xFF, 0xFF0000}, {3, 1, 0, 2}, true},
    {{0, 0, 0, 0}, {2, 1, 0, 3}, true},
};

bool apply_masks(const Masks& masks, BmpHeader& header) {
  const auto rgb_is = [&](std::uint32_t red, std::uint32_t green, std::uint32_t blue) {
    return masks.red == red && masks.green == green && masks.blue == blue;
  };
  if (header.bits == 32) {
    for (const Layout32& layout : kLayouts32) {
      if (!rgb_is(layout.masks.red, layout.masks.green, layout.masks.blue) ||
          masks.alpha != layout.masks.alpha) {
        continue;
      }
      header.channels = layout.channels;
      header.has_alpha = layout.has_alpha;
      return true;
    }
    return false;
  }
  if (header.bits == 24) return rgb_is(0xFF0000, 0xFF00, 0xFF);
  if (header.bits != 16) return false;
  if (rgb_is(0xF800, 0x7E0, 0x1F)) {
    header.samples = BmpHeader::Samples::kBgr565;
    return true;
  }
  return rgb_is(0x7C00, 0x3E0, 0x1F);
}

// A palette that is black and white, or that maps each value to itself, is no palette to Pillow.
bool is_gray(Bytes palette, std::size_t stride, std::uint64_t colours) {
  if (palette.size() < stride * (colours - 1) + 3) return false;
  for (std::uint64_t i = 0; i < colours; ++i) {
    const std::uint8_t value = static_cast<std::uint8_t>(colours == 2 && i == 1 ? 255 : i);
    for (std::size_t c = 0; c < 3; ++c) {
      if (load_u8(palette, i * stride + c) != value) return false;
    }
  }
  return true;
}

}  // namespace

Result<BmpHeader> read_bmp_header(Bytes file, const DecodeLimits& limits) {
  if (file.size() < kFileHeaderSize + 4) return truncated();
  const std::uint32_t header_size = load_le32(file, kFileHeaderSize);
  constexpr std::uint32_t kSizes[] = {12, 40, 52, 56, 64, 108, 124};
  if (std::find(std::begin(kSizes), std::end(kSizes), header_size) == std::end(kSizes)) {
    return unsupported("a header of " + std::to_string(header_size) + " bytes");
  }
  if (!contains(file, kFileHeaderSize, header_size)) return truncated();
  const Bytes fields = file.subspan(kFileHeaderSize + 4, header_size - 4);
  std::uint64_t position = kFileHeaderSize + header_size;

  BmpHeader header;
  std::uint64_t width, height, colours = 0;
  std::uint32_t compression = kRaw;
  if (header_size == kCoreHeaderSize) {
    width = load_le16(fields, 0);
    height = load_le16(fields, 2);
    header.bits = load_le16(fields, 6);
    header.palette_stride = 3;
  } else {
    width = load_le32(fields, 0);
    height = load_le32(fields, 4);
    header.top_down = load_u8(fields, 7) == 0xFF;  // a negative height
    if (header.top_down) height = (std::uint64_t{1} << 32) - height;
    header.bits = load_le16(fields, 10);
    compression = load_le32(fields, 12);
    colours = load_le32(fields, 28);
  }
  const int stored_bits = header.bits;
  if (stored_bits != 1 && stored_bits != 4 && stored_bits != 8 && stored_bits != 16 &&
      stored_bits != 24 && stored_bits != 32) {
    return unsupported(std::to_string(stored_bits) + " bits a pixel");
  }
  if (colours == 0) colours = std::uint64_t{1} << stored_bits;
  header.channels = {2, 1, 0, 3};
  if (stored_bits == 16) header.samples = BmpHeader::Samples::kBgr555;

  if (compression == kBitFields) {
    Masks masks;
    if (fields.size() >= 48) {
      masks = {load_le32(fields, 36), load_le32(fields, 40), load_le32(fields, 44),
               fields.size() >= 52 ? load_le32(fields, 48) : 0};
    } else {
      if (!contains(file, position, 12)) return truncated();
      masks = {load_le32(file, position), load_le32(file, position + 4),
               load_le32(file, position + 8), 0};
      position += 12;
    }
    if (!apply_masks(masks, header)) return unsupported("this layout of bit fields");
  } else if (compression == kRle8 || compression == kRle4) {
    if (stored_bits > 8) return unsupported("runs of whole colours");
    header.coding = compression == kRle8 ? BmpHeader::Coding::kRle8 : BmpHeader::Coding::kRle4;
  } else if (compression != kRaw) {
    return unsupported("compression " + std::to_string(compression));
  }
  if (const Status size = check_size(Format::kBmp, width, height, limits); !size.ok()) {
    return size.error();
  }
  header.size = {static_cast<std::uint32_t>(width), static_cast<std::uint32_t>(height)};

  header.stride = ((width * static_cast<std::uint64_t>(stored_bits) + 31) / 8) & ~std::uint64_t{3};
  header.data_offset = load_le32(file, 10);
  if (stored_bits <= 8) {
    // A data offset that points at the palette is one that forgot it.
    if (header.data_offset == kFileHeaderSize + header_size) {
      header.data_offset += header.palette_stride * colours;
    }
    if (colours > 65536) return unsupported(std::to_string(colours) + " palette colours");
    const std::uint64_t size =
        std::min<std::uint64_t>(header.palette_stride * colours, file.size() - position);
    header.palette = file.subspan(position, size);
    position += size;
    header.samples = BmpHeader::Samples::kPalette;
    if (is_gray(header.palette, header.palette_stride, colours)) {
      header.samples = BmpHeader::Samples::kGray;
      if (header.coding == BmpHeader::Coding::kRaw) header.bits = colours <= 2 ? 1 : 8;
      if (header.row_bytes() > header.stride) return unsupported("a gray palette of this depth");
    }
  }
  if (header.data_offset == 0) header.data_offset = position;
  return header;
}

Result<ImageInfo> probe_bmp(Bytes bytes, const DecodeLimits& limits) {
  auto header = read_bmp_header(bytes, limits);
  if (!header.ok()) return std::move(header).error();
  ImageInfo info;
  info.format = Format::kBmp;
  info.size = header->size;
  info.mode = header->mode();
  info.decode_bytes = image_bytes(info.mode, info.size) + kCodecOverheadBytes;
  // Runs may cross rows, so their indices are unpacked before they become colours.
  if (header->coding != BmpHeader::Coding::kRaw) info.decode_bytes += num_pixels(info.size);
  return info;
}

}  // namespace vecframe::image
