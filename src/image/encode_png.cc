// PNG through libpng, with its default filters and effort.
#include <png.h>

#include <csetjmp>
#include <cstring>
#include <string>

#include "image/encoder.h"

namespace vecframe::image {
namespace {

struct Encoder {
  ByteSink& sink;
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::jmp_buf on_error{};
  char message[96] = {};
};

[[noreturn]] void fail(png_structp png, png_const_charp message) {
  Encoder& encoder = *static_cast<Encoder*>(png_get_error_ptr(png));
  std::strncpy(encoder.message, message, sizeof encoder.message - 1);
  std::longjmp(encoder.on_error, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

void write_sink(png_structp png, png_bytep data, std::size_t size) {
  if (!static_cast<Encoder*>(png_get_io_ptr(png))->sink.append(data, size))
    png_error(png, "no memory");
}

void flush_sink(png_structp) {}

int colour_type(Mode mode) {
  switch (num_channels(mode)) {
    case 1:
      return PNG_COLOR_TYPE_GRAY;
    case 2:
      return PNG_COLOR_TYPE_GRAY_ALPHA;
    case 3:
      return PNG_COLOR_TYPE_RGB;
    default:
      return PNG_COLOR_TYPE_RGB_ALPHA;
  }
}

// Nothing in this function has a destructor: errors leave it by longjmp.
bool run(Encoder& encoder, const Image& image) {
  if (setjmp(encoder.on_error) != 0) return false;
  encoder.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &encoder, fail, ignore_warning);
  if (encoder.png == nullptr) return false;
  encoder.info = png_create_info_struct(encoder.png);
  if (encoder.info == nullptr) return false;
  png_structp png = encoder.png;
  png_set_user_limits(png, 0x7FFFFFFF, 0x7FFFFFFF);
  png_set_write_fn(png, &encoder, write_sink, flush_sink);
  png_set_IHDR(png, encoder.info, image.width(), image.height(), 8, colour_type(image.mode()),
               PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  png_write_info(png, encoder.info);
  for (std::uint32_t y = 0; y < image.height(); ++y) png_write_row(png, image.row(y));
  png_write_end(png, encoder.info);
  return true;
}

}  // namespace

Status encode_png(const Image& image, ByteSink& sink) {
  Encoder encoder{.sink = sink};
  const bool encoded = run(encoder, image);
  png_destroy_write_struct(&encoder.png, &encoder.info);
  if (encoded) return Done{};
  return encode_error(ErrorCode::kUnsupported, std::string("png: ") + encoder.message);
}

}  // namespace vecframe::image
