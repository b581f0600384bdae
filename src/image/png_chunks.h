// The chunks of a PNG, judged as Pillow judges them: every chunk before the image data must be
// whole and have the right checksum; what follows the data need only be whole.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "image/byte_reader.h"
#include "image/exif.h"
#include "image/image.h"

namespace vecframe::image {

struct PngChunk {
  std::uint32_t name = 0;
  std::uint32_t length = 0;    ///< as claimed
  std::uint64_t position = 0;  ///< of the chunk's data in the file
  std::uint64_t end() const { return position + length + 4; }
};

constexpr std::uint32_t png_name(const char (&name)[5]) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<std::uint8_t>(name[i]);
  return value;
}

/// The chunk whose length field is at `position`; nothing where no chunk begins.
std::optional<PngChunk> png_chunk_at(Bytes file, std::uint64_t position);

struct PngHeader {
  Size size;
  std::uint8_t depth = 0;
  std::uint8_t colour_type = 0;
  bool interlaced = false;
  bool animated = false;
  Bytes palette;  ///< RGB triples
  std::optional<Bytes> transparency;
  PngChunk first_data;
  Metadata metadata;  ///< also from behind the image data
};

Result<PngHeader> read_png_header(Bytes file);

/// Judges the chunks from `position` to the end of the file, or to the next frame of an animation.
Status check_png_tail(Bytes file, std::uint64_t position, const PngHeader& header);

}  // namespace vecframe::image
