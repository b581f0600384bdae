#include "providers/remote/picture_url.h"

#include <cstddef>
#include <utility>
#include <vector>

#include "embed/picture_embedder.h"
#include "image/convert.h"
#include "image/encode.h"
#include "providers/http/base64.h"

namespace vecframe::providers {

Result<std::string> picture_url(const Picture& picture, const PictureEncoding& encoding) {
  const image::Image rgb = image::convert(embed::to_image(picture), image::Mode::kRGB);
  image::EncodeOptions options;
  options.format = encoding.format;
  options.quality = encoding.quality;
  const Result<std::vector<std::byte>> bytes = image::encode(rgb, options);
  if (!bytes.ok()) return bytes.error();
  std::string url = "data:image/" + std::string(image::to_string(encoding.format)) + ";base64,";
  append_base64(*bytes, url);
  return url;
}

}  // namespace vecframe::providers
