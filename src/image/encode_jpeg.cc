// JPEG through libjpeg-turbo: baseline, accurate integer DCT, standard Huffman tables, colours at
// full resolution.
#include <array>
#include <csetjmp>
#include <cstdio>
#include <string>

// clang-format off
#include <jpeglib.h>  // does not include what it uses: after cstdio
// clang-format on

#include "image/encoder.h"

namespace vecframe::image {
namespace {

constexpr std::size_t kBlockBytes = 16 * 1024;

struct Encoder {
  explicit Encoder(ByteSink& to) : sink(to) {}
  ByteSink& sink;
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_destination_mgr destination{};
  std::array<JOCTET, kBlockBytes> block{};
  std::jmp_buf on_error{};
  char message[JMSG_LENGTH_MAX] = {};
};

Encoder& encoder_of(j_compress_ptr jpeg) { return *static_cast<Encoder*>(jpeg->client_data); }

[[noreturn]] void fail(j_common_ptr jpeg) {
  Encoder& encoder = *static_cast<Encoder*>(jpeg->client_data);
  jpeg->err->format_message(jpeg, encoder.message);
  std::longjmp(encoder.on_error, 1);
}

void ignore_message(j_common_ptr) {}

void begin_block(j_compress_ptr jpeg) {
  Encoder& encoder = encoder_of(jpeg);
  encoder.destination.next_output_byte = encoder.block.data();
  encoder.destination.free_in_buffer = kBlockBytes;
}

void put(j_compress_ptr jpeg, std::size_t size) {
  Encoder& encoder = encoder_of(jpeg);
  if (!encoder.sink.append(encoder.block.data(), size)) std::longjmp(encoder.on_error, 1);
}

boolean put_block(j_compress_ptr jpeg) {
  put(jpeg, kBlockBytes);
  begin_block(jpeg);
  return TRUE;
}

void put_rest(j_compress_ptr jpeg) {
  put(jpeg, kBlockBytes - encoder_of(jpeg).destination.free_in_buffer);
}

// Nothing in this function or below it has a destructor: errors leave it by longjmp.
bool run(Encoder& encoder, const Image& image, int quality) {
  jpeg_compress_struct& jpeg = encoder.jpeg;
  if (setjmp(encoder.on_error) != 0) return false;
  jpeg_create_compress(&jpeg);
  encoder.destination.init_destination = begin_block;
  encoder.destination.empty_output_buffer = put_block;
  encoder.destination.term_destination = put_rest;
  jpeg.dest = &encoder.destination;
  const bool gray = image.mode() == Mode::kL;
  jpeg.image_width = image.width();
  jpeg.image_height = image.height();
  jpeg.input_components = gray ? 1 : 3;
  jpeg.in_color_space = gray ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, quality, /*force_baseline=*/TRUE);
  jpeg.dct_method = JDCT_ISLOW;
  for (int c = 0; c < jpeg.num_components; ++c)
    jpeg.comp_info[c].h_samp_factor = jpeg.comp_info[c].v_samp_factor = 1;
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(image.row(jpeg.next_scanline));  // libjpeg only reads it
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  return true;
}

}  // namespace

Status encode_jpeg(const Image& image, int quality, ByteSink& sink) {
  Encoder encoder(sink);
  encoder.jpeg.client_data = &encoder;
  encoder.jpeg.err = jpeg_std_error(&encoder.errors);
  encoder.errors.error_exit = fail;
  encoder.errors.output_message = ignore_message;
  const bool encoded = run(encoder, image, quality);
  jpeg_destroy_compress(&encoder.jpeg);
  if (encoded) return Done{};
  return encode_error(ErrorCode::kUnsupported, std::string("jpeg: ") + encoder.message);
}

}  // namespace vecframe::image
