#include "image/png_chunks.h"

#include <zlib.h>

#include <string>

#include "image/codec.h"

namespace vecframe::image {
namespace {

constexpr std::string_view kXmpKey{"XML:com.adobe.xmp\0", 18};

RowError truncated() { return decode_error(ErrorCode::kTruncated, "png file ends inside a chunk"); }
RowError corrupt(const char* what) { return decode_error(ErrorCode::kCorrupt, what); }

bool is_name_character(std::uint8_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

bool is_supported(std::uint8_t depth, std::uint8_t colour_type) {
  switch (colour_type) {
    case 0:
      return depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    case 3:
      return depth == 1 || depth == 2 || depth == 4 || depth == 8;
    case 2:
    case 4:
    case 6:
      return depth == 8 || depth == 16;
    default:
      return false;
  }
}

// The shortest data of the chunks that Pillow interprets.
std::uint32_t least_length(std::uint32_t name) {
  switch (name) {
    case png_name("IHDR"):
      return 13;
    case png_name("gAMA"):
      return 4;
    case png_name("cHRM"):
      return 32;
    case png_name("sRGB"):
      return 1;
    case png_name("pHYs"):
      return 9;
    case png_name("acTL"):
      return 8;
    case png_name("fcTL"):
      return 26;
    default:
      return 0;
  }
}

// A compression method other than deflate, in the chunks that have one behind a name.
bool has_bad_compression(std::uint32_t name, Bytes data) {
  if (name != png_name("iCCP") && name != png_name("zTXt")) return false;
  const std::size_t end = as_text(data).find('\0');
  if (end == std::string_view::npos || end + 1 >= data.size()) return name == png_name("iCCP");
  return load_u8(data, end + 1) != 0;
}

std::optional<Bytes> xmp_of(Bytes international_text) {
  if (!has_prefix(international_text, kXmpKey)) return std::nullopt;
  Bytes rest = international_text.subspan(kXmpKey.size());
  if (rest.size() < 2 || load_u8(rest, 0) != 0) return std::nullopt;  // compressed packets are rare
  rest = rest.subspan(2);
  for (int i = 0; i < 2; ++i) {  // language, translated key
    const std::size_t end = as_text(rest).find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    rest = rest.subspan(end + 1);
  }
  return rest;
}

void note_metadata(std::uint32_t name, Bytes data, Metadata& metadata) {
  if (name == png_name("eXIf")) metadata.exif = data;
  if (name == png_name("iTXt")) {
    if (const auto xmp = xmp_of(data)) metadata.xmp = xmp;
  }
}

Status check_chunk(std::uint32_t name, Bytes data, std::uint8_t colour_type) {
  std::uint32_t least = least_length(name);
  if (name == png_name("tRNS")) least = colour_type == 0 ? 2 : colour_type == 2 ? 6 : 0;
  if (data.size() < least) return corrupt("png with a short chunk");
  if (has_bad_compression(name, data)) return corrupt("png with an unknown compression method");
  return Done{};
}

bool checksum_fits(Bytes file, const PngChunk& chunk) {
  const Bytes covered = file.subspan(chunk.position - 4, std::size_t{chunk.length} + 4);
  return crc32(0, as_uchar(covered), static_cast<uInt>(covered.size())) ==
         load_be32(file, chunk.position + chunk.length);
}

}  // namespace

std::optional<PngChunk> png_chunk_at(Bytes file, std::uint64_t position) {
  if (!contains(file, position, 8)) return std::nullopt;
  for (std::size_t i = 4; i < 8; ++i) {
    if (!is_name_character(load_u8(file, position + i))) return std::nullopt;
  }
  return PngChunk{load_be32(file, position + 4), load_be32(file, position), position + 8};
}

Result<PngHeader> read_png_header(Bytes file) {
  PngHeader header;
  bool has_header = false;
  bool has_frame = false;
  for (std::uint64_t position = 8;;) {
    const auto chunk = png_chunk_at(file, position);
    if (!chunk) {
      if (!contains(file, position, 8)) return truncated();
      return corrupt("png with a broken chunk");
    }
    if (chunk->name == png_name("IDAT")) {
      header.first_data = *chunk;
      break;
    }
    if (chunk->name == png_name("IEND")) return corrupt("png without image data");
    if (chunk->name == png_name("fdAT")) return corrupt("png whose first frame is not its picture");
    if (!contains(file, chunk->position, std::uint64_t{chunk->length} + 4)) return truncated();
    const Bytes data = file.subspan(chunk->position, chunk->length);
    if (const Status status = check_chunk(chunk->name, data, header.colour_type); !status.ok()) {
      return status.error();
    }
    if (!checksum_fits(file, *chunk)) return corrupt("png with a wrong checksum in its header");
    switch (chunk->name) {
      case png_name("IHDR"):
        has_header = true;
        header.size = {load_be32(data, 0), load_be32(data, 4)};
        header.depth = load_u8(data, 8);
        header.colour_type = load_u8(data, 9);
        header.interlaced = load_u8(data, 12) != 0;
        if (load_u8(data, 11) != 0) return corrupt("png with an unknown filter method");
        break;
      case png_name("PLTE"):
        header.palette = data;
        break;
      case png_name("tRNS"):
        header.transparency = data;
        break;
      case png_name("acTL"):
        header.animated = load_be32(data, 0) > 1;
        break;
      case png_name("fcTL"):
        if (has_frame || load_be32(data, 0) != 0) return corrupt("png with frames out of order");
        has_frame = true;
        if (load_be32(data, 4) != header.size.width || load_be32(data, 8) != header.size.height ||
            load_be32(data, 12) != 0 || load_be32(data, 16) != 0) {
          return corrupt("png whose first frame does not cover it");
        }
        break;
      default:
        note_metadata(chunk->name, data, header.metadata);
    }
    position = chunk->end();
  }
  if (!has_header) return corrupt("png without a header");
  if (!is_supported(header.depth, header.colour_type)) {
    return corrupt("png with an invalid bit depth or colour type");
  }
  // Metadata may follow the image data.
  for (std::uint64_t position = header.first_data.end();;) {
    const auto chunk = png_chunk_at(file, position);
    if (!chunk || chunk->name == png_name("IEND")) break;
    if (header.animated && chunk->name == png_name("fcTL")) break;
    if (!contains(file, chunk->position, chunk->length)) break;
    note_metadata(chunk->name, file.subspan(chunk->position, chunk->length), header.metadata);
    position = chunk->end();
  }
  return header;
}

Status check_png_tail(Bytes file, std::uint64_t position, const PngHeader& header) {
  for (;;) {
    const auto chunk = png_chunk_at(file, position);
    if (!chunk || chunk->name == png_name("IEND")) return Done{};
    if (header.animated && chunk->name == png_name("fcTL")) return Done{};
    if (!contains(file, chunk->position, chunk->length)) return truncated();
    const Bytes data = file.subspan(chunk->position, chunk->length);
    if (Status status = check_chunk(chunk->name, data, header.colour_type); !status.ok()) {
      return status;
    }
    position = chunk->end();
  }
}

}  // namespace vecframe::image
