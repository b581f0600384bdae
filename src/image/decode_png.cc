// PNG: libpng inflates, filters and deinterlaces; chunks, palettes and verdicts are ours.
//
// libpng is shown a header that png_chunks.h has approved and the image data, nothing else, so no
// profile or text of a hostile file reaches it. Palette pictures are shown to it as gray ones.
#include <png.h>

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstring>
#include <string>
#include <utility>

#include "image/codec.h"
#include "image/png_chunks.h"

namespace vecframe::image {
namespace {

// Signature and IHDR chunk; libpng is told not to look at checksums.
using Prologue = std::array<std::uint8_t, 8 + 12 + 13>;

Prologue make_prologue(const PngHeader& header) {
  Prologue bytes{0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n', 0, 0, 0, 13, 'I', 'H', 'D', 'R'};
  for (std::size_t i = 0; i < 4; ++i) {
    bytes[16 + i] = static_cast<std::uint8_t>(header.size.width >> (24 - 8 * i));
    bytes[20 + i] = static_cast<std::uint8_t>(header.size.height >> (24 - 8 * i));
  }
  bytes[24] = header.depth;
  bytes[25] =
      header.colour_type == PNG_COLOR_TYPE_PALETTE ? PNG_COLOR_TYPE_GRAY : header.colour_type;
  bytes[28] = header.interlaced ? 1 : 0;
  return bytes;
}

// What libpng reads: the prologue, then the file from its first IDAT to the end of that run of
// chunks. A last chunk that is cut off is served with the length it has.
class Source {
 public:
  Source(Bytes file, const PngHeader& header)
      : file_(file), prologue_(make_prologue(header)), chunk_(header.first_data) {
    begin_chunk();
  }

  bool read(std::uint8_t* to, std::size_t count) {
    while (count > 0) {
      if (part_.empty() && !next_part()) return false;
      const std::size_t n = std::min(count, part_.size());
      std::memcpy(to, part_.data(), n);
      to += n;
      count -= n;
      part_ = part_.subspan(n);
    }
    return true;
  }

  /// Where the chunk behind the one being read begins.
  std::uint64_t next_position() const { return chunk_.end(); }
  bool ended() const { return ended_; }

 private:
  enum class Part { kPrologue, kChunkHeader, kData, kChecksum, kNextChunk };

  void begin_chunk() {
    available_ = std::min<std::uint64_t>(
        chunk_.length, file_.size() - std::min<std::uint64_t>(chunk_.position, file_.size()));
    for (int i = 0; i < 4; ++i) {
      chunk_header_[i] = static_cast<std::uint8_t>(available_ >> (24 - 8 * i));
      chunk_header_[4 + i] = static_cast<std::uint8_t>(png_name("IDAT") >> (24 - 8 * i));
    }
  }

  bool next_part() {
    switch (state_) {
      case Part::kPrologue:
        part_ = prologue_;
        state_ = Part::kChunkHeader;
        return true;
      case Part::kChunkHeader:
        part_ = chunk_header_;
        state_ = Part::kData;
        return true;
      case Part::kData:
        part_ = {as_uchar(file_) + chunk_.position, static_cast<std::size_t>(available_)};
        state_ = Part::kChecksum;
        return true;
      case Part::kChecksum:
        part_ = checksum_;
        state_ = Part::kNextChunk;
        return true;
      case Part::kNextChunk: {
        const auto next = png_chunk_at(file_, chunk_.end());
        if (available_ < chunk_.length || !next || next->name != png_name("IDAT")) break;
        chunk_ = *next;
        begin_chunk();
        part_ = chunk_header_;
        state_ = Part::kData;
        return true;
      }
    }
    ended_ = true;
    return false;
  }

  Bytes file_;
  Prologue prologue_;
  PngChunk chunk_;
  std::uint64_t available_ = 0;
  std::array<std::uint8_t, 8> chunk_header_{};
  std::array<std::uint8_t, 4> checksum_{};
  std::span<const std::uint8_t> part_;
  Part state_ = Part::kPrologue;
  bool ended_ = false;
};

struct Decoder {
  Source source;
  png_structp png = nullptr;
  png_infop info = nullptr;
  bool started = false;
  std::jmp_buf on_error{};
  char message[96] = {};
};

[[noreturn]] void fail(png_structp png, png_const_charp message) {
  Decoder& decoder = *static_cast<Decoder*>(png_get_error_ptr(png));
  std::strncpy(decoder.message, message, sizeof decoder.message - 1);
  std::longjmp(decoder.on_error, 1);
}

void ignore_warning(png_structp, png_const_charp) {}

void read_source(png_structp png, png_bytep to, std::size_t count) {
  if (!static_cast<Decoder*>(png_get_io_ptr(png))->source.read(to, count)) {
    png_error(png, "data end before the picture does");
  }
}

// Behind the last row libpng looks for the end of the compressed data, which Pillow does not need.
bool has_all_rows(const Decoder& decoder, const PngHeader& header) {
  if (decoder.png == nullptr || !decoder.started) return false;
  return header.interlaced ? png_get_current_pass_number(decoder.png) >= 7
                           : png_get_current_row_number(decoder.png) >= header.size.height;
}

// Nothing in this function has a destructor: errors leave it by longjmp. `row_offset` is where in
// a row of the image libpng's row begins.
bool run(Decoder& decoder, const PngHeader& header, Image& image, std::size_t row_offset) {
  if (setjmp(decoder.on_error) != 0) return has_all_rows(decoder, header);
  decoder.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &decoder, fail, ignore_warning);
  if (decoder.png == nullptr) return false;
  decoder.info = png_create_info_struct(decoder.png);
  if (decoder.info == nullptr) return false;
  png_structp png = decoder.png;
  png_set_user_limits(png, header.size.width, header.size.height);
  png_set_crc_action(png, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
  png_set_benign_errors(png, 1);
  png_set_read_fn(png, &decoder, read_source);
  png_read_info(png, decoder.info);
  if (header.colour_type == PNG_COLOR_TYPE_PALETTE) {
    png_set_packing(png);
  } else if (header.colour_type == PNG_COLOR_TYPE_GRAY && header.depth < 8) {
    png_set_expand_gray_1_2_4_to_8(png);
  }
  if (image.mode() == Mode::kL16) {
    png_set_swap(png);
  } else if (header.depth == 16) {
    png_set_strip_16(png);
    if (header.colour_type == PNG_COLOR_TYPE_GRAY_ALPHA) png_set_gray_to_rgb(png);
  }
  const int passes = png_set_interlace_handling(png);
  png_start_read_image(png);
  decoder.started = true;
  for (int pass = 0; pass < passes; ++pass) {
    for (std::uint32_t y = 0; y < header.size.height; ++y) {
      png_read_row(png, image.row(y) + row_offset, nullptr);
    }
  }
  return true;
}

// Each row's indices lie at its end, so that the colours can be written from its start without
// overtaking them.
void expand_palette(const PngHeader& header, Image& image) {
  // An index outside the palette is black, as in Pillow.
  std::array<std::array<std::uint8_t, 4>, 256> colours;
  colours.fill({0, 0, 0, 255});
  for (std::size_t i = 0; i < 256 && 3 * i + 3 <= header.palette.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) colours[i][c] = load_u8(header.palette, 3 * i + c);
  }
  const int channels = num_channels(image.mode());
  if (header.transparency) {
    for (std::size_t i = 0; i < 256 && i < header.transparency->size(); ++i) {
      colours[i][3] = load_u8(*header.transparency, i);
    }
  }
  const std::size_t width = image.width();
  for (std::uint32_t y = 0; y < image.height(); ++y) {
    std::uint8_t* out = image.row(y);
    const std::uint8_t* indices = out + image.row_bytes() - width;
    for (std::size_t x = 0; x < width; ++x, out += channels) {
      const auto& colour = colours[indices[x]];
      for (int c = 0; c < channels; ++c) out[c] = colour[static_cast<std::size_t>(c)];
    }
  }
}

}  // namespace

Result<Image> decode_png(Bytes bytes, const ImageInfo& info) {
  auto header = read_png_header(bytes);
  if (!header.ok()) return std::move(header).error();
  if (header->size != info.size) {
    return decode_error(ErrorCode::kCorrupt, "png header does not match its description");
  }
  const bool palette = header->colour_type == PNG_COLOR_TYPE_PALETTE;
  Image image(info.mode, info.size);
  Decoder decoder{.source = Source(bytes, *header)};
  const std::size_t row_offset = palette ? image.row_bytes() - image.width() : 0;
  const bool decoded = run(decoder, *header, image, row_offset);
  png_destroy_read_struct(&decoder.png, &decoder.info, nullptr);
  if (!decoded) {
    return decode_error(decoder.source.ended() ? ErrorCode::kTruncated : ErrorCode::kCorrupt,
                        std::string("png: ") + decoder.message);
  }
  if (const Status tail = check_png_tail(bytes, decoder.source.next_position(), *header);
      !tail.ok()) {
    return tail.error();
  }
  if (palette) expand_palette(*header, image);
  return image;
}

}  // namespace vecframe::image
