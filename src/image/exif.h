// The EXIF orientation as Pillow's ImageOps.exif_transpose finds it: in the EXIF block, and where
// that has none, in the XMP packet.
#pragma once

#include <cstdint>
#include <optional>

#include "image/byte_reader.h"
#include "image/tiff_directory.h"

namespace vecframe::image {

struct Metadata {
  std::optional<Bytes> exif;  ///< a TIFF, with or without "Exif\0\0" in front
  std::optional<Bytes> xmp;
};

/// 1..8; 1 when neither says so.
std::uint8_t orientation_of(const Metadata& metadata);
/// The same where the directory has already been read.
std::uint8_t orientation_of(const TiffDirectory& directory, std::optional<Bytes> xmp);

}  // namespace vecframe::image
