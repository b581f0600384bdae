#include "image/crop.h"

#include <algorithm>
#include <cstring>

namespace vecframe::image {

Image crop(const Image& image, Box box) {
  if (box.left >= image.width() || box.top >= image.height()) return Image(image.mode(), {0, 0});
  const Size size{std::min(box.width, image.width() - box.left),
                  std::min(box.height, image.height() - box.top)};
  if (size.width == 0 || size.height == 0) return Image(image.mode(), {0, 0});
  Image result(image.mode(), size);
  const std::size_t offset =
      std::size_t{box.left} * static_cast<std::size_t>(bytes_per_pixel(image.mode()));
  for (std::uint32_t y = 0; y < size.height; ++y)
    std::memcpy(result.row(y), image.row(box.top + y) + offset, result.row_bytes());
  return result;
}

}  // namespace vecframe::image
