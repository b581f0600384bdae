#include "image/decode.h"

#include <new>

#include "image/codec.h"
#include "image/decode_rows.h"

namespace vecframe::image {
namespace {

Result<Image> dispatch(Bytes bytes, const ImageInfo& info) {
  switch (info.format) {
    case Format::kJpeg:
      return decode_jpeg(bytes, info);
    case Format::kPng:
      return decode_png(bytes, info);
    case Format::kWebp:
      return decode_webp(bytes, info);
    case Format::kGif:
      return decode_gif(bytes, info);
    case Format::kBmp:
      return decode_bmp(bytes, info);
    case Format::kTiff:
      return decode_tiff(bytes, info);
  }
  return decode_error(ErrorCode::kUnknownFormat, "no decoder for this format");
}

}  // namespace

bool decodes_by_rows(const ImageInfo& info) { return info.format == Format::kJpeg; }

Status decode_rows(std::span<const std::byte> bytes, const ImageInfo& info, RowSink& sink) {
  return decode_jpeg_rows(bytes, info, sink);
}

Result<Image> decode(std::span<const std::byte> bytes, const ImageInfo& info) {
  try {
    return dispatch(bytes, info);
  } catch (const std::bad_alloc&) {
    return decode_error(ErrorCode::kOverBudget, "the system has no memory for this picture");
  }
}

}  // namespace vecframe::image
