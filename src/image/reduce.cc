#include "image/reduce.h"

#include <cstddef>

#include "image/orientation.h"

namespace vecframe::image {

ImageInfo reduced(const ImageInfo& info, double shrink) {
  ImageInfo result = info;
  if (info.format != Format::kJpeg) return result;
  // Scales between these have no vector instructions, and take longer than the whole picture.
  constexpr std::array<std::uint8_t, 3> kScales{4, 2, 1};
  for (std::size_t i = 0; i < kScales.size(); ++i) {
    if (shrink * kScales[i] < kReducedDetail * 8) break;
    result.eighths = kScales[i];
    result.decode_bytes = info.reduced_bytes[i];
  }
  return result;
}

Whole whole_of(const ImageInfo& info, bool upright) {
  const std::uint8_t orientation = upright ? info.orientation : std::uint8_t{1};
  Whole whole{oriented_size(info.size, orientation), 8u / info.eighths};
  whole.left = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  whole.top = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  return whole;
}

}  // namespace vecframe::image
