// Pictures as data URLs.
#pragma once

#include <vecframe/provider.h>

#include <string>

#include "base/result.h"
#include "image/probe.h"

namespace vecframe::providers {

struct PictureEncoding {
  image::Format format = image::Format::kPng;  ///< kPng, kJpeg or kWebp
  int quality = 90;                            ///< of kJpeg and kWebp
};

/// `data:image/png;base64,...` of the picture as RGB, which every server takes: alpha is dropped
/// and gray replicated, as the processors of most models do anyway.
Result<std::string> picture_url(const Picture& picture, const PictureEncoding& encoding);

}  // namespace vecframe::providers
