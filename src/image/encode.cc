#include "image/encode.h"

#include <fmt/core.h>

#include <algorithm>
#include <new>
#include <utility>

#include "image/encoder.h"
#include "image/palette.h"

namespace vecframe::image {
namespace {

// What a codec library allocates beside anything that grows with the picture.
constexpr std::uint64_t kOverheadBytes = 2 * 1024 * 1024;

std::uint64_t longest_side(Format format) {
  switch (format) {
    case Format::kJpeg:
      return 65500;
    case Format::kGif:
      return 65535;
    case Format::kWebp:
      return 16383;
    case Format::kPng:
    case Format::kBmp:
    case Format::kTiff:
      break;
  }
  return 0x7FFFFFFF;
}

Status dispatch(const Image& image, const EncodeOptions& options, ByteSink& sink) {
  const int quality = std::clamp(options.quality, 1, 100);
  switch (options.format) {
    case Format::kPng:
      return encode_png(image, sink);
    case Format::kJpeg:
      return encode_jpeg(image, quality, sink);
    case Format::kWebp:
      return encode_webp(image, quality, options.lossless, sink);
    case Format::kGif:
      return encode_gif(image, sink);
    case Format::kBmp:
      return encode_bmp(image, sink);
    case Format::kTiff:
      return encode_tiff(image, sink);
  }
  return encode_error(ErrorCode::kUnsupported, "no encoder for this format");
}

RowError no_memory() {
  return encode_error(ErrorCode::kOverBudget, "the system has no memory to encode this picture");
}

}  // namespace

bool can_encode(Format format, Mode mode) {
  if (bytes_per_sample(mode) != 1) return false;
  return format != Format::kJpeg || mode == Mode::kL || mode == Mode::kRGB;
}

std::uint64_t most_file_bytes(Mode mode, Size size, Format format) {
  const std::uint64_t width = size.width, height = size.height, pixels = width * height;
  const auto channels = static_cast<std::uint64_t>(num_channels(mode));
  const std::uint64_t row = width * channels;
  if (std::max(width, height) > longest_side(format)) return 0;
  constexpr std::uint64_t kMost32 = 0xFFFF0000;  // offsets in BMP and TIFF, room for headers left
  switch (format) {
    case Format::kPng: {  // stored blocks of deflate, in chunks of 8 KiB
      const std::uint64_t raw = (row + 1) * height;
      return raw + raw / 256 + 64 * 1024;
    }
    case Format::kJpeg:  // as TurboJPEG reckons
      return (width + 7) / 8 * ((height + 7) / 8) * 64 * 2 * channels + 64 * 1024;
    case Format::kWebp:
      return 6 * pixels + 64 * 1024;
    case Format::kGif:  // codes of 12 bits, in blocks of 255 bytes
      return pixels + pixels / 2 + pixels / 64 + 8 * 1024;
    case Format::kBmp: {
      const std::uint64_t pixel = channels == 2 ? 4 : channels;
      const std::uint64_t bytes = (width * pixel + 3) / 4 * 4 * height + 2048;
      return bytes <= kMost32 ? bytes : 0;
    }
    case Format::kTiff: {
      const std::uint64_t bytes = row * height + 16 * height + 4096;  // two numbers a strip, twice
      return bytes <= kMost32 ? bytes : 0;
    }
  }
  return 0;
}

Result<std::vector<std::byte>> encode(const Image& image, const EncodeOptions& options) {
  const auto refuse = [&](std::string_view why) {
    return encode_error(
        ErrorCode::kUnsupported,
        fmt::format("{} pictures of {}x{} cannot be encoded as {}: {}", to_string(image.mode()),
                    image.width(), image.height(), to_string(options.format), why));
  };
  try {
    if (image.width() == 0 || image.height() == 0) return refuse("they have no pixels");
    if (!can_encode(options.format, image.mode()))
      return refuse(bytes_per_sample(image.mode()) == 1
                        ? "the format has no alpha; convert to L or RGB"
                        : "only 8-bit modes can; convert to one of them");
    const std::uint64_t limit = most_file_bytes(image.mode(), image.size(), options.format);
    if (limit == 0) return refuse("the format has no room for so many pixels");
    ByteSink sink(limit);
    Status status = dispatch(image, options, sink);
    if (sink.failed()) return no_memory();
    if (!status.ok()) return std::move(status).error();
    return sink.take();
  } catch (const std::bad_alloc&) {
    return no_memory();
  }
}

std::uint64_t encode_bytes(Mode mode, Size size, const EncodeOptions& options) {
  const std::uint64_t pixels = std::uint64_t{size.width} * size.height;
  const std::uint64_t file = most_file_bytes(mode, size, options.format);
  if (file == 0 || pixels == 0 || !can_encode(options.format, mode)) return 0;
  const auto channels = static_cast<std::uint64_t>(num_channels(mode));
  const std::uint64_t row = channels * size.width;
  switch (options.format) {
    case Format::kPng:  // a growing file, and libpng's rows
      return 3 * file + 8 * row + kOverheadBytes;
    case Format::kJpeg:  // a band of rows
      return 3 * file + 64 * row + kOverheadBytes;
    case Format::kBmp:
    case Format::kTiff:
      return file + kOverheadBytes;
    case Format::kGif:
      return 3 * file + pixels + kPaletteBytes + kOverheadBytes;
    case Format::kWebp: {
      const bool alpha = channels % 2 == 0, gray = channels <= 2;
      const std::uint64_t as_colours = gray ? pixels * (channels + 2) : 0;
      // The lossless coder, of alpha too, weighs up to 2600 sets of histograms, two at a time.
      const std::uint64_t histograms =
          options.lossless || alpha ? std::min<std::uint64_t>(pixels, 2600) * 18 * 1024 : 0;
      return 3 * file + as_colours + (options.lossless ? 70 : 40) * pixels + histograms +
             2 * kOverheadBytes;
    }
  }
  return 0;
}

}  // namespace vecframe::image
