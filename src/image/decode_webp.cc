// WebP through libwebp: the first frame on an empty canvas, colours unmultiplied, as Pillow's
// reader, which goes through the animation decoder, but without that decoder's two spare canvases.
#include <webp/decode.h>
#include <webp/demux.h>

#include <cstring>
#include <memory>
#include <string>

#include "image/codec.h"

namespace vecframe::image {
namespace {

struct DeleteDemuxer {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

RowError failure(VP8StatusCode status) {
  switch (status) {
    case VP8_STATUS_NOT_ENOUGH_DATA:
    case VP8_STATUS_SUSPENDED:
      return decode_error(ErrorCode::kTruncated, "webp data end before the picture does");
    case VP8_STATUS_OUT_OF_MEMORY:
      return decode_error(ErrorCode::kOverBudget, "webp decoder is out of memory");
    default:
      return decode_error(ErrorCode::kCorrupt, "webp with broken image data");
  }
}

}  // namespace

Result<Image> decode_webp(Bytes bytes, const ImageInfo& info) {
  const WebPData data{as_uchar(bytes), bytes.size()};
  WebPDemuxState state;
  std::unique_ptr<WebPDemuxer, DeleteDemuxer> demuxer(WebPDemuxPartial(&data, &state));
  if (state == WEBP_DEMUX_PARSING_HEADER || state == WEBP_DEMUX_PARSED_HEADER) {
    return decode_error(ErrorCode::kTruncated, "webp file ends too soon");
  }
  WebPIterator frame{};
  if (!demuxer || state != WEBP_DEMUX_DONE || !WebPDemuxGetFrame(demuxer.get(), 1, &frame)) {
    return decode_error(ErrorCode::kCorrupt, "webp with broken chunks");
  }
  const std::unique_ptr<WebPIterator, decltype(&WebPDemuxReleaseIterator)> release(
      &frame, WebPDemuxReleaseIterator);
  const Size size{WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH),
                  WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT)};
  const auto right =
      static_cast<std::uint64_t>(frame.x_offset) + static_cast<unsigned>(frame.width);
  const auto bottom =
      static_cast<std::uint64_t>(frame.y_offset) + static_cast<unsigned>(frame.height);
  if (size != info.size || right > size.width || bottom > size.height) {
    return decode_error(ErrorCode::kCorrupt, "webp whose frame does not fit its canvas");
  }

  Image image(info.mode, info.size);
  const bool covered = right - static_cast<unsigned>(frame.x_offset) == size.width &&
                       bottom - static_cast<unsigned>(frame.y_offset) == size.height;
  if (!covered) std::memset(image.pixels().data(), 0, image.pixels().size());
  WebPDecoderConfig config;
  if (!WebPInitDecoderConfig(&config)) {
    return decode_error(ErrorCode::kUnsupported, "libwebp of another version");
  }
  config.output.colorspace = info.mode == Mode::kRGBA ? MODE_RGBA : MODE_RGB;
  config.output.is_external_memory = 1;
  WebPRGBABuffer& output = config.output.u.RGBA;
  const std::size_t offset = static_cast<std::size_t>(frame.y_offset) * image.row_bytes() +
                             static_cast<std::size_t>(frame.x_offset) *
                                 static_cast<std::size_t>(bytes_per_pixel(info.mode));
  output.rgba = image.pixels().data() + offset;
  output.stride = static_cast<int>(image.row_bytes());
  output.size = image.pixels().size() - offset;
  const VP8StatusCode status = WebPDecode(frame.fragment.bytes, frame.fragment.size, &config);
  WebPFreeDecBuffer(&config.output);
  if (status != VP8_STATUS_OK) return failure(status);
  return image;
}

}  // namespace vecframe::image
