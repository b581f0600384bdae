// WebP through libwebp, a single picture; gray is written as colours of equal channels.
#include <webp/encode.h>

#include <memory>
#include <string>

#include "image/encoder.h"
#include "tensor/aligned_buffer.h"

namespace vecframe::image {
namespace {

// libwebp's default effort of its lossless presets.
constexpr int kLosslessEffort = 6;

int write_sink(const std::uint8_t* data, std::size_t size, const WebPPicture* picture) {
  return static_cast<ByteSink*>(picture->custom_ptr)->append(data, size) ? 1 : 0;
}

// Gray as colours, row by row: equal channels.
tensor::AlignedBuffer<std::uint8_t> as_colours(const Image& image) {
  const bool alpha = image.mode() == Mode::kLA;
  const std::size_t pixels = std::size_t{image.width()} * image.height();
  const std::size_t from = alpha ? 2 : 1, to = alpha ? 4 : 3;
  tensor::AlignedBuffer<std::uint8_t> colours(pixels * to);
  const std::uint8_t* in = image.pixels().data();
  std::uint8_t* out = colours.data();
  for (std::size_t i = 0; i < pixels; ++i, in += from, out += to) {
    out[0] = out[1] = out[2] = in[0];
    if (alpha) out[3] = in[1];
  }
  return colours;
}

bool import(const Image& image, WebPPicture& picture) {
  const int channels = num_channels(image.mode());
  tensor::AlignedBuffer<std::uint8_t> colours;
  if (channels <= 2) colours = as_colours(image);
  const std::uint8_t* pixels = channels <= 2 ? colours.data() : image.pixels().data();
  const bool alpha = channels % 2 == 0;
  const int stride = static_cast<int>(image.width()) * (alpha ? 4 : 3);
  return (alpha ? WebPPictureImportRGBA(&picture, pixels, stride)
                : WebPPictureImportRGB(&picture, pixels, stride)) != 0;
}

}  // namespace

Status encode_webp(const Image& image, int quality, bool lossless, ByteSink& sink) {
  WebPConfig config;
  WebPPicture picture;
  if (!WebPConfigInit(&config) || !WebPPictureInit(&picture))
    return encode_error(ErrorCode::kUnsupported, "libwebp of another version");
  if (lossless) {
    WebPConfigLosslessPreset(&config, kLosslessEffort);
    config.exact = 1;
  } else {
    config.quality = static_cast<float>(quality);
  }
  const std::unique_ptr<WebPPicture, decltype(&WebPPictureFree)> release(&picture, WebPPictureFree);
  picture.use_argb = lossless ? 1 : 0;
  picture.width = static_cast<int>(image.width());
  picture.height = static_cast<int>(image.height());
  picture.writer = write_sink;
  picture.custom_ptr = &sink;
  if (import(image, picture) && WebPEncode(&config, &picture)) return Done{};
  if (picture.error_code == VP8_ENC_ERROR_OUT_OF_MEMORY ||
      picture.error_code == VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY)
    return encode_error(ErrorCode::kOverBudget, "webp encoder is out of memory");
  return encode_error(ErrorCode::kUnsupported,
                      "libwebp cannot write this picture, error " +
                          std::to_string(static_cast<int>(picture.error_code)));
}

}  // namespace vecframe::image
