#include "embed/picture_embedder.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace vecframe::embed {

Picture to_picture(image::Image image) {
  const auto owned = std::make_shared<const image::Image>(std::move(image));
  return {owned->width(), owned->height(), image::num_channels(owned->mode()), owned->pixels(),
          owned};
}

image::Image to_image(const Picture& picture) {
  // The 8-bit modes are numbered by their channels.
  image::Image image(static_cast<image::Mode>(picture.channels), {picture.width, picture.height});
  std::copy(picture.pixels.begin(), picture.pixels.end(), image.pixels().begin());
  return image;
}

}  // namespace vecframe::embed
