// Where the first frame of a GIF lies and how it is to be painted, found as Pillow finds it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "image/byte_reader.h"
#include "image/image.h"

namespace vecframe::image {

struct GifFrame {
  Size canvas;  ///< large enough for the frame, even if the screen is not
  std::uint32_t left = 0, top = 0, width = 0, height = 0;
  bool interlaced = false;
  Bytes palette;  ///< RGB triples; empty: indices are gray values
  std::optional<std::uint8_t> transparent;
  std::uint64_t data_position = 0;  ///< of the byte with the minimum code size

  Mode mode() const { return palette.empty() ? Mode::kL : transparent ? Mode::kRGBA : Mode::kRGB; }
};

Result<GifFrame> find_gif_frame(Bytes file);

}  // namespace vecframe::image
