// GIF: giflib unpacks the indices of the first frame; where it lies and its colours are ours.
//
// giflib is shown a stream of one frame without palettes, so nothing else in the file concerns it.
#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "image/codec.h"
#include "image/gif_frame.h"

namespace vecframe::image {
namespace {

constexpr std::size_t kPrologueSize = 13 + 10;

struct Source {
  std::array<std::uint8_t, kPrologueSize> prologue;
  std::size_t prologue_read = 0;
  Bytes data;
  bool ended = false;
};

void store_le16(std::uint32_t value, std::uint8_t* to) {
  to[0] = static_cast<std::uint8_t>(value);
  to[1] = static_cast<std::uint8_t>(value >> 8);
}

Source make_source(Bytes file, const GifFrame& frame) {
  Source source{};
  auto& bytes = source.prologue;
  std::memcpy(bytes.data(), "GIF89a", 6);
  // One row more than there is: behind the last one giflib insists on a terminator, Pillow does
  // not.
  const std::uint32_t height = std::min<std::uint32_t>(frame.height + 1, 0xFFFF);
  store_le16(frame.width, &bytes[6]);
  store_le16(height, &bytes[8]);
  bytes[13] = ',';
  store_le16(frame.width, &bytes[18]);
  store_le16(height, &bytes[20]);
  source.data = file.subspan(frame.data_position);
  return source;
}

int read_source(GifFileType* gif, GifByteType* to, int count) {
  Source& source = *static_cast<Source*>(gif->UserData);
  auto wanted = static_cast<std::size_t>(count);
  const std::size_t from_prologue = std::min(wanted, kPrologueSize - source.prologue_read);
  std::memcpy(to, source.prologue.data() + source.prologue_read, from_prologue);
  source.prologue_read += from_prologue;
  wanted -= from_prologue;
  const std::size_t from_data = std::min(wanted, source.data.size());
  if (from_data > 0) std::memcpy(to + from_prologue, source.data.data(), from_data);
  source.data = source.data.subspan(from_data);
  source.ended |= from_data < wanted;
  return static_cast<int>(from_prologue + from_data);
}

// Whether a code comes that no table has yet, before all pixels are there. giflib makes something
// up for it; Pillow refuses. Only lengths are tracked, not pixels.
bool has_broken_code(Bytes data, std::uint64_t num_pixels) {
  constexpr unsigned kMostCodes = 4096, kMostBits = 12;
  const unsigned first_bits = load_u8(data, 0);
  if (first_bits >= kMostBits) return true;
  const unsigned clear = 1u << first_bits, end = clear + 1;
  std::array<std::uint32_t, kMostCodes> lengths{};
  std::fill_n(lengths.begin(), clear, 1);
  unsigned next = clear + 2, bits = first_bits + 1, last = clear;
  std::uint64_t num_decoded = 0, buffer = 0;
  unsigned num_buffered = 0;
  std::size_t position = 1, left_in_block = 0;
  while (num_decoded < num_pixels) {
    for (; num_buffered < bits; num_buffered += 8) {
      if (left_in_block == 0) {  // blocks of no bytes are skipped, as in Pillow
        do {
          if (position >= data.size()) return false;
          left_in_block = load_u8(data, position++);
        } while (left_in_block == 0);
      }
      if (position >= data.size()) return false;
      buffer |= std::uint64_t{load_u8(data, position++)} << num_buffered;
      --left_in_block;
    }
    const auto code = static_cast<unsigned>(buffer & ((1u << bits) - 1));
    buffer >>= bits;
    num_buffered -= bits;
    if (code == end) return false;
    if (code == clear) {
      next = clear + 2;
      bits = first_bits + 1;
      last = clear;
      continue;
    }
    if (last == clear) {  // the first code after a clear is a pixel
      if (code > clear) return true;
      num_decoded += 1;
    } else {
      if (code > next) return true;
      const std::uint32_t grown = lengths[last] + 1;
      num_decoded += code == next ? grown : lengths[code];
      if (next < kMostCodes) {
        lengths[next] = grown;
        if (next == (1u << bits) - 1 && bits < kMostBits) ++bits;
        ++next;
      }
    }
    last = code;
  }
  return false;
}

struct CloseGif {
  void operator()(GifFileType* gif) const { DGifCloseFile(gif, nullptr); }
};

// The row of the frame that comes `i`-th in the stream.
class RowOrder {
 public:
  explicit RowOrder(const GifFrame& frame)
      : height_(frame.height), pass_(frame.interlaced ? 0 : 4) {}
  std::uint32_t next() {
    while (pass_ < 4 && row_ >= height_) row_ = kFirst[++pass_];
    const std::uint32_t row = row_;
    row_ += kStep[pass_];
    return row;
  }

 private:
  static constexpr std::uint32_t kFirst[] = {0, 4, 2, 1, 0}, kStep[] = {8, 8, 4, 2, 1};
  std::uint32_t height_, row_ = 0;
  int pass_;
};

// Each row's indices lie at its end, so that the colours can be written from its start without
// overtaking them.
void expand_palette(const GifFrame& frame, Image& image) {
  std::array<std::array<std::uint8_t, 4>, 256> colours;
  colours.fill({0, 0, 0, 255});  // for an index outside the palette
  for (std::size_t i = 0; 3 * i + 3 <= frame.palette.size(); ++i) {
    for (std::size_t c = 0; c < 3; ++c) colours[i][c] = load_u8(frame.palette, 3 * i + c);
  }
  if (frame.transparent) colours[*frame.transparent][3] = 0;
  const int channels = num_channels(image.mode());
  for (std::uint32_t y = 0; y < image.height(); ++y) {
    std::uint8_t* out = image.row(y);
    const std::uint8_t* indices = out + image.row_bytes() - image.width();
    for (std::size_t x = 0; x < image.width(); ++x, out += channels) {
      const auto& colour = colours[indices[x]];
      for (int c = 0; c < channels; ++c) out[c] = colour[static_cast<std::size_t>(c)];
    }
  }
}

}  // namespace

Result<Image> decode_gif(Bytes bytes, const ImageInfo& info) {
  auto found = find_gif_frame(bytes);
  if (!found.ok()) return std::move(found).error();
  const GifFrame& frame = *found;
  if (frame.canvas != info.size || frame.mode() != info.mode) {
    return decode_error(ErrorCode::kCorrupt, "gif header does not match its description");
  }
  if (has_broken_code(bytes.subspan(frame.data_position),
                      std::uint64_t{frame.width} * frame.height)) {
    return decode_error(ErrorCode::kCorrupt, "gif with a code that is not in its table");
  }
  Source source = make_source(bytes, frame);
  const auto failure = [&] {
    return source.ended
               ? decode_error(ErrorCode::kTruncated, "gif data end before the picture does")
               : decode_error(ErrorCode::kCorrupt, "gif with broken image data");
  };
  int error = 0;
  const std::unique_ptr<GifFileType, CloseGif> gif(DGifOpen(&source, read_source, &error));
  GifRecordType record;
  if (!gif || DGifGetRecordType(gif.get(), &record) == GIF_ERROR ||
      record != IMAGE_DESC_RECORD_TYPE || DGifGetImageDesc(gif.get()) == GIF_ERROR) {
    return failure();
  }
  Image image(info.mode, info.size);
  const std::size_t index_offset = image.row_bytes() - image.width();
  for (std::uint32_t y = 0; y < image.height(); ++y) {
    std::memset(image.row(y) + index_offset, frame.transparent.value_or(0), image.width());
  }
  RowOrder order(frame);
  for (std::uint32_t i = 0; i < frame.height; ++i) {
    std::uint8_t* row = image.row(frame.top + order.next()) + index_offset + frame.left;
    if (DGifGetLine(gif.get(), row, static_cast<int>(frame.width)) == GIF_ERROR) {
      source.ended |= gif->Error == D_GIF_ERR_EOF_TOO_SOON;
      return failure();
    }
  }
  if (!frame.palette.empty()) expand_palette(frame, image);
  return image;
}

}  // namespace vecframe::image
