// TIFF: compressed strips and tiles through libtiff, uncompressed ones straight from the file.
//
// Pillow divides the work the same way, and so its verdicts on bent files are ours, but for two
// cases in which it leaves pixels black: strips that the file does not have, and broken data of
// compressed YCbCr. Those are errors here.
#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "image/codec.h"
#include "image/tiff_layout.h"
#include "image/tiff_unpack.h"
#include "tensor/aligned_buffer.h"

namespace vecframe::image {
namespace {

using Buffer = tensor::AlignedBuffer<std::uint8_t>;

RowError truncated() {
  return decode_error(ErrorCode::kTruncated, "tiff data end before the picture does");
}
RowError corrupt(const std::string& what) { return decode_error(ErrorCode::kCorrupt, what); }

// The file as libtiff's client, mapped, so that compressed data are not copied.
struct Client {
  Bytes file;
  std::uint64_t position = 0;
};

tmsize_t read_client(thandle_t handle, void* to, tmsize_t count) {
  Client& client = *static_cast<Client*>(handle);
  if (client.position >= client.file.size() || count <= 0) return 0;
  const std::uint64_t n = std::min<std::uint64_t>(static_cast<std::uint64_t>(count),
                                                  client.file.size() - client.position);
  std::memcpy(to, client.file.data() + client.position, n);
  client.position += n;
  return static_cast<tmsize_t>(n);
}
tmsize_t refuse_write(thandle_t, void*, tmsize_t) { return -1; }
toff_t seek_client(thandle_t handle, toff_t offset, int whence) {
  Client& client = *static_cast<Client*>(handle);
  const std::uint64_t from = whence == SEEK_CUR   ? client.position
                             : whence == SEEK_END ? client.file.size()
                                                  : 0;
  return client.position = from + offset;
}
int close_client(thandle_t) { return 0; }
toff_t client_size(thandle_t handle) { return static_cast<Client*>(handle)->file.size(); }
int map_client(thandle_t handle, void** base, toff_t* size) {
  const Bytes file = static_cast<Client*>(handle)->file;
  *base = const_cast<std::byte*>(file.data());  // libtiff's map is read-only in fact, not in type
  *size = file.size();
  return 1;
}
void unmap_client(thandle_t, void*, toff_t) {}
int ignore_message(TIFF*, void*, const char*, const char*, va_list) { return 1; }

struct CloseTiff {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using TiffHandle = std::unique_ptr<TIFF, CloseTiff>;

TiffHandle open_tiff(Client& client, std::uint64_t max_allocation) {
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(
      TIFFOpenOptionsAlloc(), TIFFOpenOptionsFree);
  if (!options) return nullptr;
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), static_cast<tmsize_t>(max_allocation));
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), ignore_message, nullptr);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), ignore_message, nullptr);
  return TiffHandle(TIFFClientOpenExt("picture", "r", &client, read_client, refuse_write,
                                      seek_client, close_client, client_size, map_client,
                                      unmap_client, options.get()));
}

// Where blocks go: straight to the picture, or, from separate planes, first to a gathering of the
// high bytes of their samples.
class Target {
 public:
  Target(const TiffLayout& layout, const TiffDirectory& directory, bool big_endian, Image& image)
      : layout_(layout),
        directory_(directory),
        big_endian_(big_endian),
        image_(image),
        unpacker_(layout, directory, big_endian) {
    if (!layout.separate_planes) return;
    planes_ = std::min<std::size_t>(static_cast<std::size_t>(layout.num_samples), 4);
    gathered_ = Buffer(num_pixels(layout.size) * planes_);
    std::memset(gathered_.data(), 0, gathered_.size());
  }

  /// Planes that are of use; 1 when samples are interleaved.
  std::size_t num_planes() const { return planes_; }

  /// One row of a block: it begins at (x, y) of the picture and may reach over its right edge.
  void row(std::size_t plane, std::uint32_t x, std::uint32_t y, const std::uint8_t* in) {
    const std::size_t width = std::min(layout_.block_width, layout_.size.width - x);
    if (!layout_.separate_planes) {
      const auto pixel_bytes = static_cast<std::size_t>(bytes_per_pixel(image_.mode()));
      return unpacker_.row(in, width, image_.row(y) + x * pixel_bytes);
    }
    const std::size_t step = layout_.bits == 16 ? 2 : 1, high = step == 2 && !big_endian_ ? 1 : 0;
    std::uint8_t* out =
        gathered_.data() + (std::size_t{y} * layout_.size.width + x) * planes_ + plane;
    for (std::size_t i = 0; i < width; ++i) out[i * planes_] = in[i * step + high];
  }

  void finish() {
    if (!layout_.separate_planes) return;
    TiffLayout interleaved = layout_;
    interleaved.num_samples = static_cast<int>(planes_);
    interleaved.bits = 8;
    const TiffUnpacker unpacker(interleaved, directory_, big_endian_);
    const std::size_t row_bytes = layout_.size.width * planes_;
    for (std::uint32_t y = 0; y < layout_.size.height; ++y) {
      unpacker.row(gathered_.data() + y * row_bytes, layout_.size.width, image_.row(y));
    }
  }

 private:
  const TiffLayout& layout_;
  const TiffDirectory& directory_;
  bool big_endian_;
  Image& image_;
  TiffUnpacker unpacker_;
  std::size_t planes_ = 1;
  Buffer gathered_;
};

struct Block {
  std::uint64_t index;
  std::size_t plane;
  std::uint32_t x, y, num_rows;
};

// Calls `read(block)` for every block that is of use, until one fails.
template <class Read>
Status for_each_block(const TiffLayout& layout, std::size_t num_planes, Read read) {
  std::uint64_t index = 0;
  for (std::size_t plane = 0; plane < num_planes; ++plane) {
    for (std::uint64_t down = 0; down < layout.blocks_down(); ++down) {
      for (std::uint64_t across = 0; across < layout.blocks_across(); ++across, ++index) {
        const auto x = static_cast<std::uint32_t>(across * layout.block_width);
        const auto y = static_cast<std::uint32_t>(down * layout.block_height);
        const std::uint32_t rows = std::min(layout.block_height, layout.size.height - y);
        if (Status status = read(Block{index, plane, x, y, rows}); !status.ok()) return status;
      }
    }
  }
  return Done{};
}

std::uint8_t reversed(std::uint8_t byte) {
  byte = static_cast<std::uint8_t>((byte & 0xF0) >> 4 | (byte & 0x0F) << 4);
  byte = static_cast<std::uint8_t>((byte & 0xCC) >> 2 | (byte & 0x33) << 2);
  return static_cast<std::uint8_t>((byte & 0xAA) >> 1 | (byte & 0x55) << 1);
}

Status read_uncompressed(Bytes file, const TiffLayout& layout, const TiffDirectory& directory,
                         Target& target) {
  const TiffTag* offsets =
      directory.find(layout.tiled ? tiff_tag::kTileOffsets : tiff_tag::kStripOffsets);
  if (offsets == nullptr) return corrupt("tiff without image data");
  const bool one_block = layout.blocks_across() * layout.blocks_down() == 1 &&
                         layout.block_width == layout.size.width &&
                         layout.block_height == layout.size.height && !layout.separate_planes;
  const std::uint64_t row_bytes = layout.block_row_bytes();
  Buffer scratch(layout.reversed_bits ? row_bytes : 0);
  return for_each_block(layout, target.num_planes(), [&](const Block& block) -> Status {
    // Where each block is the whole picture, the last one counts.
    const std::uint64_t index = one_block ? offsets->count - 1 : block.index;
    const auto offset = directory.integer(*offsets, index);
    if (!offset) return truncated();
    const std::uint32_t width = std::min(layout.block_width, layout.size.width - block.x);
    const std::uint64_t last_row =
        (std::uint64_t{width} *
             static_cast<std::uint64_t>(layout.samples_per_block() * layout.bits) +
         7) /
        8;
    if (!contains(file, *offset, row_bytes * (block.num_rows - 1) + last_row)) return truncated();
    for (std::uint32_t i = 0; i < block.num_rows; ++i) {
      const std::uint8_t* in = as_uchar(file) + *offset + i * row_bytes;
      if (layout.reversed_bits) {
        std::transform(in, in + last_row, scratch.data(), reversed);
        in = scratch.data();
      }
      target.row(block.plane, block.x, block.y + i, in);
    }
    return Done{};
  });
}

bool ends_before_its_blocks(Bytes file, const TiffLayout& layout, const TiffDirectory& directory) {
  const TiffTag* offsets =
      directory.find(layout.tiled ? tiff_tag::kTileOffsets : tiff_tag::kStripOffsets);
  const TiffTag* sizes =
      directory.find(layout.tiled ? tiff_tag::kTileByteCounts : tiff_tag::kStripByteCounts);
  if (offsets == nullptr || sizes == nullptr) return false;
  for (std::uint64_t i = 0; i < std::min(offsets->count, sizes->count); ++i) {
    if (!contains(file, directory.integer(*offsets, i).value_or(0),
                  directory.integer(*sizes, i).value_or(0))) {
      return true;
    }
  }
  return false;
}

Status read_blocks(TIFF* tiff, const TiffLayout& layout, Target& target) {
  const std::uint64_t row_bytes = layout.block_row_bytes();
  const std::uint64_t claimed = layout.tiled ? TIFFTileRowSize64(tiff) : TIFFScanlineSize64(tiff);
  if (claimed != row_bytes) return corrupt("tiff with rows of an unexpected size");
  Buffer buffer(layout.block_bytes());
  return for_each_block(layout, target.num_planes(), [&](const Block& block) -> Status {
    const auto index = static_cast<std::uint32_t>(block.index);
    const auto size = static_cast<tmsize_t>(buffer.size());
    std::memset(buffer.data(), 0, buffer.size());  // libtiff leaves gaps where fax codes are bad
    const tmsize_t got = layout.tiled ? TIFFReadEncodedTile(tiff, index, buffer.data(), size)
                                      : TIFFReadEncodedStrip(tiff, index, buffer.data(), size);
    if (got < 0 || static_cast<std::uint64_t>(got) < row_bytes * block.num_rows) {
      return corrupt("tiff with a broken strip or tile");
    }
    for (std::uint32_t i = 0; i < block.num_rows; ++i) {
      target.row(block.plane, block.x, block.y + i, buffer.data() + i * row_bytes);
    }
    return Done{};
  });
}

// Subsampled luma and chroma: libtiff's own conversion, a band of rows at a time.
Status read_as_rgb(TIFF* tiff, const TiffLayout& layout, Image& image) {
  char message[1024];
  TIFFRGBAImage reader;
  if (!TIFFRGBAImageOK(tiff, message) || !TIFFRGBAImageBegin(&reader, tiff, /*stop=*/1, message)) {
    return decode_error(ErrorCode::kUnsupported, "tiff that libtiff cannot convert");
  }
  reader.req_orientation = reader.orientation;
  const std::uint32_t width = layout.size.width;
  Status status = Done{};
  tensor::AlignedBuffer<std::uint32_t> raster(std::size_t{width} * layout.block_height);
  std::memset(raster.data(), 0, raster.size_bytes());
  for (std::uint32_t y = 0; y < layout.size.height; y += layout.block_height) {
    const std::uint32_t rows = std::min(layout.block_height, layout.size.height - y);
    reader.row_offset = static_cast<int>(y);
    reader.col_offset = 0;
    if (!TIFFRGBAImageGet(&reader, raster.data(), width, rows)) {
      status = corrupt("tiff with a broken strip or tile");
      break;
    }
    for (std::uint32_t i = 0; i < rows; ++i) {
      std::uint8_t* out = image.row(y + i);
      const std::uint32_t* in = raster.data() + std::size_t{i} * width;
      for (std::uint32_t x = 0; x < width; ++x, out += 3) {
        out[0] = static_cast<std::uint8_t>(TIFFGetR(in[x]));
        out[1] = static_cast<std::uint8_t>(TIFFGetG(in[x]));
        out[2] = static_cast<std::uint8_t>(TIFFGetB(in[x]));
      }
    }
    if (rows < layout.block_height) break;  // also keeps y from wrapping
  }
  TIFFRGBAImageEnd(&reader);
  return status;
}

Status read_through_libtiff(Bytes file, const ImageInfo& info, const TiffLayout& layout,
                            const TiffDirectory& directory, Image& image) {
  Client client{file};
  const TiffHandle tiff = open_tiff(client, info.decode_bytes);
  if (!tiff) return corrupt("tiff that libtiff does not open");
  std::uint32_t width = 0, height = 0;
  TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width);
  TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height);
  if (Size{width, height} != layout.size || (TIFFIsTiled(tiff.get()) != 0) != layout.tiled) {
    return corrupt("tiff with contradicting tags");
  }
  if (layout.pixels == TiffLayout::Pixels::kYcbcr) {
    if (layout.compression != kTiffJpeg || layout.separate_planes) {
      return read_as_rgb(tiff.get(), layout, image);
    }
    TIFFSetField(tiff.get(), TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
  }
  TiffLayout stored = layout;
  if (layout.pixels == TiffLayout::Pixels::kYcbcr) stored.pixels = TiffLayout::Pixels::kColours;
  Target target(stored, directory, /*big_endian=*/false, image);  // libtiff swaps to native order
  if (Status status = read_blocks(tiff.get(), stored, target); !status.ok()) return status;
  target.finish();
  return Done{};
}

}  // namespace

Result<Image> decode_tiff(Bytes bytes, const ImageInfo& info) {
  const auto directory = TiffDirectory::read(bytes, /*allow_bigtiff=*/true);
  if (!directory) return corrupt("tiff with a broken header");
  auto layout = read_tiff_layout(*directory, {});
  if (!layout.ok()) return std::move(layout).error();
  if (layout->size != info.size || layout->mode != info.mode) {
    return corrupt("tiff header does not match its description");
  }
  Image image(info.mode, info.size);
  Status status = Done{};
  if (layout->compressed()) {
    status = read_through_libtiff(bytes, info, *layout, *directory, image);
    if (!status.ok() && ends_before_its_blocks(bytes, *layout, *directory)) status = truncated();
  } else {
    Target target(*layout, *directory, directory->big_endian(), image);
    status = read_uncompressed(bytes, *layout, *directory, target);
    if (status.ok()) target.finish();
  }
  if (!status.ok()) return std::move(status).error();
  return image;
}

}  // namespace vecframe::image
