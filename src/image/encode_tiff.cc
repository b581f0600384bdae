// TIFF through libtiff: uncompressed strips, alpha unassociated.
#include <tiffio.h>

#include <algorithm>
#include <cstdarg>
#include <memory>

#include "image/encoder.h"

namespace vecframe::image {
namespace {

constexpr std::uint64_t kStripBytes = 256 * 1024;

struct Client {
  ByteSink& sink;
  std::uint64_t position = 0;
};

tmsize_t refuse_read(thandle_t, void*, tmsize_t) { return -1; }

tmsize_t write_client(thandle_t handle, void* data, tmsize_t count) {
  Client& client = *static_cast<Client*>(handle);
  const auto size = static_cast<std::size_t>(count);
  if (count < 0 || !client.sink.write(client.position, data, size)) return -1;
  client.position += size;
  return count;
}

toff_t seek_client(thandle_t handle, toff_t offset, int whence) {
  Client& client = *static_cast<Client*>(handle);
  const std::uint64_t from = whence == SEEK_CUR   ? client.position
                             : whence == SEEK_END ? client.sink.size()
                                                  : 0;
  return client.position = from + offset;
}

int close_client(thandle_t) { return 0; }
toff_t client_size(thandle_t handle) { return static_cast<Client*>(handle)->sink.size(); }
int refuse_map(thandle_t, void**, toff_t*) { return 0; }
void unmap_client(thandle_t, void*, toff_t) {}
int ignore_message(TIFF*, void*, const char*, const char*, va_list) { return 1; }

struct CloseTiff {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using TiffHandle = std::unique_ptr<TIFF, CloseTiff>;

TiffHandle open_tiff(Client& client) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(
      TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
  if (!options) return nullptr;
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), ignore_message, nullptr);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore_message, nullptr);
  return TiffHandle(TIFFClientOpenExt("picture", "wl", &client, refuse_read, write_client,
                                      seek_client, close_client, client_size, refuse_map,
                                      unmap_client, options.get()));
}

bool set_tags(TIFF* tiff, const Image& image, std::uint32_t rows_per_strip) {
  const int channels = num_channels(image.mode());
  bool set = TIFFSetField(tiff, TIFFTAG_IMAGEWIDTH, image.width()) != 0 &&
             TIFFSetField(tiff, TIFFTAG_IMAGELENGTH, image.height()) != 0 &&
             TIFFSetField(tiff, TIFFTAG_BITSPERSAMPLE, 8) != 0 &&
             TIFFSetField(tiff, TIFFTAG_SAMPLESPERPIXEL, channels) != 0 &&
             TIFFSetField(tiff, TIFFTAG_COMPRESSION, COMPRESSION_NONE) != 0 &&
             TIFFSetField(tiff, TIFFTAG_PHOTOMETRIC,
                          channels <= 2 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB) != 0 &&
             TIFFSetField(tiff, TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) != 0 &&
             TIFFSetField(tiff, TIFFTAG_ROWSPERSTRIP, rows_per_strip) != 0;
  const std::uint16_t alpha = EXTRASAMPLE_UNASSALPHA;
  if (channels % 2 == 0) set = set && TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, 1, &alpha) != 0;
  return set;
}

bool write_strips(TIFF* tiff, const Image& image, std::uint32_t rows_per_strip) {
  std::uint32_t strip = 0;
  for (std::uint32_t y = 0; y < image.height(); ++strip) {
    const std::uint32_t rows = std::min(rows_per_strip, image.height() - y);
    // Bytes in the machine's order are written as they are.
    void* data = const_cast<std::uint8_t*>(image.row(y));
    const auto size = static_cast<tmsize_t>(rows * image.row_bytes());
    if (TIFFWriteEncodedStrip(tiff, strip, data, size) != size) return false;
    y += rows;
  }
  return TIFFWriteDirectory(tiff) != 0;
}

}  // namespace

Status encode_tiff(const Image& image, ByteSink& sink) {
  const auto rows_per_strip = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>(kStripBytes / image.row_bytes(), 1, image.height()));
  sink.reserve(most_file_bytes(image.mode(), image.size(), Format::kTiff));
  Client client{sink};
  const TiffHandle tiff = open_tiff(client);
  if (tiff && set_tags(tiff.get(), image, rows_per_strip) &&
      write_strips(tiff.get(), image, rows_per_strip))
    return Done{};
  return encode_error(ErrorCode::kUnsupported, "libtiff cannot write this picture");
}

}  // namespace vecframe::image
