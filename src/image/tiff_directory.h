// One image file directory of a TIFF, which is also what an EXIF block holds.
//
// The rules for broken directories are those of Pillow's ImageFileDirectory_v2.load: reading stops
// where the data stop, and the tags before that stay; the first of several equal tags counts.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "image/byte_reader.h"

namespace vecframe::image {

struct TiffTag {
  std::uint16_t tag = 0;
  std::uint16_t type = 0;
  std::uint64_t count = 0;
  Bytes data;  ///< count values of `type`, in the byte order of the file
};

class TiffDirectory {
 public:
  /// Reads the first directory of `file`, a whole TIFF or EXIF block. Nothing if the 8- or 16-byte
  /// header is not a TIFF's. Holds views into `file`.
  static std::optional<TiffDirectory> read(Bytes file, bool allow_bigtiff);

  bool big_endian() const { return big_endian_; }
  const TiffTag* find(std::uint16_t tag) const;
  /// Value `index` of a numeric tag (integers, rationals, floats); nothing for text, blobs, or a
  /// value that is not there.
  std::optional<double> number(const TiffTag& tag, std::uint64_t index) const;
  /// Value `index` of a tag of unsigned integers; nothing for any other tag or index.
  std::optional<std::uint64_t> integer(const TiffTag& tag, std::uint64_t index) const;
  /// The tag's first value if the tag exists and holds an unsigned integer.
  std::optional<std::uint64_t> integer(std::uint16_t tag) const;

 private:
  bool big_endian_ = false;
  std::vector<TiffTag> tags_;
};

}  // namespace vecframe::image
