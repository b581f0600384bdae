// JPEG through libjpeg-turbo, with Pillow's settings: accurate integer DCT, fancy upsampling, and
// warnings that do not count. The whole file is one buffer; asking for more is truncation.

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <string>

// clang-format off
#include <jpeglib.h>  // does not include what it uses: after cstdio
// clang-format on

#include "image/codec.h"

namespace vecframe::image {
namespace {

// A scan costs time by the area of the picture, however few bytes it has.
constexpr int kMaxScans = 500;
constexpr JDIMENSION kRowsPerCall = 16;

enum class Outcome { kDone, kTruncated, kBroken, kTooManyScans, kContradictsHeader };

struct Decoder {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_source_mgr source{};
  jpeg_progress_mgr progress{};
  std::jmp_buf on_error{};
  bool too_many_scans = false;
  char message[JMSG_LENGTH_MAX] = {};
};

Decoder& decoder_of(j_common_ptr jpeg) { return *static_cast<Decoder*>(jpeg->client_data); }

[[noreturn]] void fail(j_common_ptr jpeg) {
  Decoder& decoder = decoder_of(jpeg);
  jpeg->err->format_message(jpeg, decoder.message);
  std::longjmp(decoder.on_error, 1);
}

void ignore_message(j_common_ptr) {}

void limit_scans(j_common_ptr jpeg) {
  if (reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number <= kMaxScans) return;
  decoder_of(jpeg).too_many_scans = true;
  std::longjmp(decoder_of(jpeg).on_error, 1);
}

void set_source(Decoder& decoder, Bytes bytes) {
  decoder.source.next_input_byte = as_uchar(bytes);
  decoder.source.bytes_in_buffer = bytes.size();
  decoder.source.init_source = [](j_decompress_ptr) {};
  decoder.source.fill_input_buffer = [](j_decompress_ptr) -> boolean { return FALSE; };
  decoder.source.skip_input_data = [](j_decompress_ptr jpeg, long count) {
    if (count <= 0) return;
    const std::size_t skip = std::min(static_cast<std::size_t>(count), jpeg->src->bytes_in_buffer);
    jpeg->src->next_input_byte += skip;
    jpeg->src->bytes_in_buffer -= skip;
  };
  decoder.source.resync_to_restart = jpeg_resync_to_restart;
  decoder.source.term_source = [](j_decompress_ptr) {};
  decoder.jpeg.src = &decoder.source;
}

// Adobe's CMYK files hold inverted inks, and Pillow takes every CMYK JPEG for one of those.
void inverted_cmyk_to_rgb(const std::uint8_t* in, std::uint8_t* out, std::size_t width) {
  for (std::size_t x = 0; x < width; ++x, in += 4, out += 3) {
    const int white = in[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - in[c]) * white + 128;
      out[c] = static_cast<std::uint8_t>(std::max(white - (((product >> 8) + product) >> 8), 0));
    }
  }
}

// Nothing in this function or below it has a destructor: errors leave it by longjmp, though not out
// of the sink.
Outcome run(Decoder& decoder, Bytes bytes, const ImageInfo& info, RowSink& sink) {
  jpeg_decompress_struct& jpeg = decoder.jpeg;
  if (setjmp(decoder.on_error) != 0) {
    return decoder.too_many_scans ? Outcome::kTooManyScans : Outcome::kBroken;
  }
  jpeg_create_decompress(&jpeg);
  jpeg.mem->max_memory_to_use = static_cast<long>(info.decode_bytes);
  set_source(decoder, bytes);
  decoder.progress.progress_monitor = limit_scans;
  jpeg.progress = &decoder.progress;

  int header;
  do {
    header = jpeg_read_header(&jpeg, FALSE);
  } while (header == JPEG_HEADER_TABLES_ONLY);
  if (header == JPEG_SUSPENDED) return Outcome::kTruncated;
  const bool gray = info.mode == Mode::kL;
  if (jpeg.image_width != info.size.width || jpeg.image_height != info.size.height ||
      gray != (jpeg.num_components == 1)) {
    return Outcome::kContradictsHeader;
  }
  const bool cmyk = jpeg.num_components == 4;
  jpeg.out_color_space = gray ? JCS_GRAYSCALE : cmyk ? JCS_CMYK : JCS_RGB;
  jpeg.dct_method = JDCT_ISLOW;
  jpeg.scale_num = info.eighths;
  jpeg.scale_denom = 8;
  if (!jpeg_start_decompress(&jpeg)) return Outcome::kTruncated;
  const Size size = info.decoded_size();
  if (jpeg.output_width != size.width || jpeg.output_height != size.height)
    return Outcome::kContradictsHeader;

  JSAMPARRAY scratch = nullptr;
  if (cmyk) {
    scratch = (*jpeg.mem->alloc_sarray)(reinterpret_cast<j_common_ptr>(&jpeg), JPOOL_IMAGE,
                                        jpeg.output_width * 4, 1);
  }
  while (jpeg.output_scanline < jpeg.output_height) {
    const RowSink::Room room = sink.room();
    JDIMENSION taken;
    if (cmyk) {
      taken = jpeg_read_scanlines(&jpeg, scratch, 1);
      if (taken > 0) inverted_cmyk_to_rgb(scratch[0], room.pixels, jpeg.output_width);
    } else {
      JSAMPROW rows[kRowsPerCall];
      const JDIMENSION count = std::min<JDIMENSION>(kRowsPerCall, room.rows);
      for (JDIMENSION i = 0; i < count; ++i)
        rows[i] = room.pixels + std::size_t{i} * jpeg.output_width * (gray ? 1 : 3);
      taken = jpeg_read_scanlines(&jpeg, rows, count);
    }
    if (taken == 0) return Outcome::kTruncated;
    sink.take(taken);
  }
  // Every row is there; what follows the last one is of no interest, as in Pillow, except that an
  // outright error in it still counts.
  jpeg_finish_decompress(&jpeg);
  return Outcome::kDone;
}

// All rows, where they stay.
class WholePicture final : public RowSink {
 public:
  explicit WholePicture(Image& image) : image_(image) {}
  Room room() noexcept override { return {image_.row(next_), image_.height() - next_}; }
  void take(std::uint32_t rows) noexcept override { next_ += rows; }

 private:
  Image& image_;
  std::uint32_t next_ = 0;
};

}  // namespace

Result<Image> decode_jpeg(Bytes bytes, const ImageInfo& info) {
  Image image(info.mode, info.decoded_size());
  WholePicture sink(image);
  if (const Status status = decode_jpeg_rows(bytes, info, sink); !status) return status.error();
  return image;
}

Status decode_jpeg_rows(Bytes bytes, const ImageInfo& info, RowSink& sink) {
  Decoder decoder;
  decoder.jpeg.client_data = &decoder;
  decoder.jpeg.err = jpeg_std_error(&decoder.errors);
  decoder.errors.error_exit = fail;
  decoder.errors.output_message = ignore_message;
  const Outcome outcome = run(decoder, bytes, info, sink);
  jpeg_destroy_decompress(&decoder.jpeg);
  switch (outcome) {
    case Outcome::kDone:
      return Done{};
    case Outcome::kTruncated:
      return decode_error(ErrorCode::kTruncated, "jpeg data end before the picture does");
    case Outcome::kTooManyScans:
      return decode_error(ErrorCode::kUnsupported,
                          "jpeg with more than " + std::to_string(kMaxScans) + " scans");
    case Outcome::kContradictsHeader:
      return decode_error(ErrorCode::kCorrupt, "jpeg with contradicting frame headers");
    case Outcome::kBroken:
      break;
  }
  return decode_error(ErrorCode::kCorrupt, std::string("jpeg: ") + decoder.message);
}

}  // namespace vecframe::image
