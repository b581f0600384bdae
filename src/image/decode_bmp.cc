// BMP by hand: the readers at hand accept other variants than Pillow does, and pad what is short.
#include <algorithm>
#include <array>
#include <utility>

#include "image/bmp_header.h"
#include "image/codec.h"
#include "tensor/aligned_buffer.h"

namespace vecframe::image {
namespace {

using Palette = std::array<std::array<std::uint8_t, 3>, 256>;

RowError truncated() {
  return decode_error(ErrorCode::kTruncated, "bmp data end before the picture does");
}

// An index outside the palette is black.
Palette read_palette(const BmpHeader& header) {
  Palette palette{};
  for (std::size_t i = 0; i < palette.size(); ++i) {
    const std::size_t at = i * header.palette_stride;
    if (at + 3 > header.palette.size()) break;
    palette[i] = {load_u8(header.palette, at + 2), load_u8(header.palette, at + 1),
                  load_u8(header.palette, at)};
  }
  return palette;
}

std::uint8_t index_at(const std::uint8_t* row, std::size_t x, int bits) {
  switch (bits) {
    case 1:
      return row[x / 8] >> (7 - x % 8) & 1;
    case 4:
      return x % 2 == 0 ? row[x / 2] >> 4 : row[x / 2] & 15;
    default:
      return row[x];
  }
}

void unpack_row(const BmpHeader& header, const Palette& palette, const std::uint8_t* in,
                std::uint8_t* out) {
  const std::size_t width = header.size.width;
  switch (header.samples) {
    case BmpHeader::Samples::kGray:
      for (std::size_t x = 0; x < width; ++x) {
        const std::uint8_t value = index_at(in, x, header.bits);
        out[x] = header.bits == 1 ? static_cast<std::uint8_t>(-value) : value;
      }
      return;
    case BmpHeader::Samples::kPalette:
      for (std::size_t x = 0; x < width; ++x) {
        const auto& colour = palette[index_at(in, x, header.bits)];
        std::copy(colour.begin(), colour.end(), out + 3 * x);
      }
      return;
    case BmpHeader::Samples::kBgr555:
    case BmpHeader::Samples::kBgr565: {
      const bool six_greens = header.samples == BmpHeader::Samples::kBgr565;
      for (std::size_t x = 0; x < width; ++x) {
        const unsigned pixel = in[2 * x] | in[2 * x + 1] << 8;
        const unsigned green = six_greens ? pixel >> 5 & 63 : pixel >> 5 & 31;
        const unsigned red = six_greens ? pixel >> 11 & 31 : pixel >> 10 & 31;
        out[3 * x] = static_cast<std::uint8_t>(red * 255 / 31);
        out[3 * x + 1] = static_cast<std::uint8_t>(green * 255 / (six_greens ? 63 : 31));
        out[3 * x + 2] = static_cast<std::uint8_t>((pixel & 31) * 255 / 31);
      }
      return;
    }
    case BmpHeader::Samples::kBytes: {
      const std::size_t from = static_cast<std::size_t>(header.bits) / 8;
      const std::size_t to = header.has_alpha ? 4 : 3;
      for (std::size_t x = 0; x < width; ++x, in += from, out += to) {
        for (std::size_t c = 0; c < to; ++c) out[c] = in[header.channels[c]];
      }
      return;
    }
  }
}

// Row `y` of the stored order, as a row of the picture.
std::uint32_t picture_row(const BmpHeader& header, std::uint32_t y) {
  return header.top_down ? y : header.size.height - 1 - y;
}

// Pillow's reading of runs: the pixels form one sequence, which runs and literals extend; a run
// stops at the end of its row, a literal does not. Returns whether the sequence got full.
bool expand_runs(Bytes file, const BmpHeader& header, std::span<std::uint8_t> pixels) {
  const bool rle4 = header.coding == BmpHeader::Coding::kRle4;
  const std::size_t width = header.size.width;
  std::size_t filled = 0, x = 0;
  std::uint64_t position = header.data_offset;
  const auto append = [&](std::uint8_t value) {
    if (filled < pixels.size()) pixels[filled++] = value;
  };
  while (filled < pixels.size() && contains(file, position, 2)) {
    const std::size_t count = load_u8(file, position);
    const std::uint8_t value = load_u8(file, position + 1);
    position += 2;
    if (count > 0) {
      const std::size_t run = std::min(count, width - std::min(x, width));
      for (std::size_t i = 0; i < run; ++i) {
        append(!rle4 ? value : i % 2 == 0 ? value >> 4 : value & 15);
      }
      x += run;
    } else if (value == 0) {  // end of row
      while (filled % width != 0) append(0);
      x = 0;
    } else if (value == 1) {  // end of picture
      break;
    } else if (value == 2) {  // skip
      if (!contains(file, position, 2)) break;
      const std::size_t skip = load_u8(file, position) + load_u8(file, position + 1) * width;
      position += 2;
      const std::size_t end = std::min(pixels.size(), filled + skip);
      while (filled < end) append(0);
      x = filled % width;
    } else {  // literal
      const std::size_t literal = std::min<std::size_t>(pixels.size() - filled, value);
      const std::size_t size = rle4 ? (literal + 1) / 2 : literal;
      const std::size_t there =
          position < file.size() ? std::min<std::size_t>(size, file.size() - position) : 0;
      for (std::size_t i = 0; i < there; ++i) {
        const std::uint8_t byte = load_u8(file, position + i);
        if (!rle4) {
          append(byte);
          continue;
        }
        append(byte >> 4);
        if (2 * i + 1 < literal) append(byte & 15);
      }
      position += there;
      if (there < size) break;
      x += value;
      position += position % 2;
    }
  }
  return filled == pixels.size();
}

Result<Image> decode_runs(Bytes file, BmpHeader header) {
  tensor::AlignedBuffer<std::uint8_t> pixels(num_pixels(header.size));
  if (!expand_runs(file, header, {pixels.data(), pixels.size()})) return truncated();
  header.bits = 8;
  Image image(header.mode(), header.size);
  const Palette palette = read_palette(header);
  for (std::uint32_t y = 0; y < header.size.height; ++y) {
    unpack_row(header, palette, pixels.data() + std::size_t{y} * header.size.width,
               image.row(picture_row(header, y)));
  }
  return image;
}

}  // namespace

Result<Image> decode_bmp(Bytes bytes, const ImageInfo& info) {
  auto read = read_bmp_header(bytes, {.max_pixels = num_pixels(info.size)});
  if (!read.ok()) return std::move(read).error();
  const BmpHeader& header = *read;
  if (header.size != info.size || header.mode() != info.mode) {
    return decode_error(ErrorCode::kCorrupt, "bmp header does not match its description");
  }
  if (header.coding != BmpHeader::Coding::kRaw) return decode_runs(bytes, header);
  // The last row may lack its padding.
  const std::uint64_t size = header.stride * (header.size.height - 1) + header.row_bytes();
  if (!contains(bytes, header.data_offset, size)) return truncated();
  Image image(info.mode, info.size);
  const Palette palette = read_palette(header);
  const std::uint8_t* in = as_uchar(bytes) + header.data_offset;
  for (std::uint32_t y = 0; y < header.size.height; ++y, in += header.stride) {
    unpack_row(header, palette, in, image.row(picture_row(header, y)));
  }
  return image;
}

}  // namespace vecframe::image
