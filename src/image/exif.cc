#include "image/exif.h"

#include <string_view>

namespace vecframe::image {
namespace {

constexpr std::uint16_t kOrientationTag = 274;

std::uint8_t orientation_of_xmp(std::optional<Bytes> xmp) {
  if (!xmp) return 1;
  constexpr std::string_view kName = "tiff:Orientation";
  const std::string_view text = as_text(*xmp);
  for (std::size_t at = text.find(kName); at != text.npos; at = text.find(kName, at + 1)) {
    std::string_view rest = text.substr(at + kName.size());
    if (rest.starts_with("=\"")) {
      rest.remove_prefix(2);
    } else if (rest.starts_with(">")) {
      rest.remove_prefix(1);
    } else {
      continue;
    }
    if (rest.empty() || rest[0] < '0' || rest[0] > '9') continue;
    return rest[0] >= '1' && rest[0] <= '8' ? static_cast<std::uint8_t>(rest[0] - '0') : 1;
  }
  return 1;
}

}  // namespace

std::uint8_t orientation_of(const TiffDirectory& directory, std::optional<Bytes> xmp) {
  const TiffTag* tag = directory.find(kOrientationTag);
  if (tag == nullptr) return orientation_of_xmp(xmp);
  const auto value = directory.number(*tag, 0);
  for (std::uint8_t orientation = 1; value && orientation <= 8; ++orientation) {
    if (*value == orientation) return orientation;
  }
  return 1;
}

std::uint8_t orientation_of(const Metadata& metadata) {
  if (!metadata.exif) return orientation_of_xmp(metadata.xmp);
  Bytes block = *metadata.exif;
  for (int i = 0; i < 2 && has_prefix(block, {"Exif\0\0", 6}); ++i) block = block.subspan(6);
  if (block.empty()) return orientation_of_xmp(metadata.xmp);
  const auto directory = TiffDirectory::read(block, /*allow_bigtiff=*/false);
  return directory ? orientation_of(*directory, metadata.xmp) : 1;
}

}  // namespace vecframe::image
