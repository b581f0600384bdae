// GIF through giflib: one frame, its palette by palette.h.
#include <gif_lib.h>

#include <memory>

#include "image/encoder.h"
#include "image/palette.h"

namespace vecframe::image {
namespace {

int write_sink(GifFileType* gif, const GifByteType* data, int size) {
  ByteSink& sink = *static_cast<ByteSink*>(gif->UserData);
  return sink.append(data, static_cast<std::size_t>(size)) ? size : 0;
}

struct FreeColourMap {
  void operator()(ColorMapObject* map) const { GifFreeMapObject(map); }
};
using ColourMap = std::unique_ptr<ColorMapObject, FreeColourMap>;

/// The number of colours is rounded up to a power of two, as the format wants it.
ColourMap colour_map(const std::vector<Colour>& palette) {
  int size = 2;
  while (static_cast<std::size_t>(size) < palette.size()) size *= 2;
  ColourMap map(GifMakeMapObject(size, nullptr));
  if (!map) return nullptr;
  for (std::size_t i = 0; i < palette.size(); ++i)
    map->Colors[i] = {palette[i][0], palette[i][1], palette[i][2]};
  return map;
}

bool put_transparency(GifFileType* gif, int transparent) {
  if (transparent < 0) return true;
  GraphicsControlBlock control{};
  control.DisposalMode = DISPOSAL_UNSPECIFIED;
  control.TransparentColor = transparent;
  GifByteType extension[4];
  const std::size_t size = EGifGCBToExtension(&control, extension);
  return EGifPutExtension(gif, GRAPHICS_EXT_FUNC_CODE, static_cast<int>(size), extension) == GIF_OK;
}

bool put_picture(GifFileType* gif, const ColorMapObject* map, Size size, IndexedImage& picture) {
  const auto width = static_cast<int>(size.width), height = static_cast<int>(size.height);
  EGifSetGifVersion(gif, true);
  if (EGifPutScreenDesc(gif, width, height, 8, 0, map) != GIF_OK ||
      !put_transparency(gif, picture.transparent) ||
      EGifPutImageDesc(gif, 0, 0, width, height, false, nullptr) != GIF_OK)
    return false;
  for (std::uint32_t y = 0; y < size.height; ++y) {
    GifPixelType* row = picture.indices.data() + std::size_t{y} * size.width;
    if (EGifPutLine(gif, row, width) != GIF_OK) return false;
  }
  return true;
}

}  // namespace

Status encode_gif(const Image& image, ByteSink& sink) {
  IndexedImage picture = reduce_to_palette(image);
  const ColourMap map = colour_map(picture.palette);
  int error = 0;
  GifFileType* gif = map ? EGifOpen(&sink, write_sink, &error) : nullptr;
  if (gif == nullptr) return encode_error(ErrorCode::kOverBudget, "gif encoder is out of memory");
  const bool encoded = put_picture(gif, map.get(), image.size(), picture);
  const bool closed = EGifCloseFile(gif, &error) == GIF_OK;
  if (encoded && closed) return Done{};
  return encode_error(ErrorCode::kUnsupported, "giflib cannot write this picture");
}

}  // namespace vecframe::image
