// How the first picture of a TIFF is stored: the combinations of tags that Pillow reads.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "image/image.h"
#include "image/probe.h"
#include "image/tiff_directory.h"

namespace vecframe::image {

struct TiffLayout {
  enum class Pixels : std::uint8_t {
    kGray,     ///< 1, 2, 4, 8 bits, perhaps inverted; or 16 bits
    kGray12,   ///< two pixels in three bytes
    kInteger,  ///< 16 or 32 bits, clipped to a byte
    kFloat,    ///< 32 bits, truncated and clipped to a byte
    kPalette,  ///< 1, 2, 4, 8 bits, perhaps followed by ignored samples or by alpha
    kColours,  ///< gray, gray and alpha, RGB or RGBA of 8 or 16 bits, further samples ignored
    kCmyk,     ///< 8 or 16 bits, further samples ignored
    kYcbcr,    ///< 8 bits, compressed ones as libtiff converts them
  };
  enum class Alpha : std::uint8_t { kNone, kStraight, kPremultiplied };

  Size size;
  Mode mode = Mode::kL;
  Pixels pixels = Pixels::kGray;
  Alpha alpha = Alpha::kNone;
  int bits = 8;         ///< of a sample
  int num_samples = 1;  ///< stored for a pixel
  bool inverted = false;
  bool is_signed = false;
  bool reversed_bits = false;  ///< in each byte of uncompressed data
  bool separate_planes = false;
  bool tiled = false;
  std::uint32_t block_width = 0, block_height = 0;  ///< of a strip or tile
  std::uint64_t compression = 1;

  bool compressed() const { return compression != 1; }
  std::uint64_t blocks_across() const {
    return (std::uint64_t{size.width} + block_width - 1) / block_width;
  }
  std::uint64_t blocks_down() const {
    return (std::uint64_t{size.height} + block_height - 1) / block_height;
  }
  /// Samples of one pixel in one block.
  int samples_per_block() const { return separate_planes ? 1 : num_samples; }
  std::uint64_t block_row_bytes() const {
    return (std::uint64_t{block_width} * static_cast<std::uint64_t>(samples_per_block() * bits) +
            7) /
           8;
  }
  std::uint64_t block_bytes() const { return block_row_bytes() * block_height; }
};

namespace tiff_tag {
inline constexpr std::uint16_t kImageWidth = 256, kImageLength = 257, kBitsPerSample = 258,
                               kCompression = 259, kPhotometric = 262, kFillOrder = 266,
                               kStripOffsets = 273, kSamplesPerPixel = 277, kRowsPerStrip = 278,
                               kStripByteCounts = 279, kPlanarConfiguration = 284, kColourMap = 320,
                               kTileWidth = 322, kTileLength = 323, kTileOffsets = 324,
                               kTileByteCounts = 325, kExtraSamples = 338, kSampleFormat = 339,
                               kXmp = 700;
}  // namespace tiff_tag

/// Compression schemes by their TIFF numbers.
inline constexpr std::uint64_t kTiffOldJpeg = 6, kTiffJpeg = 7, kTiffZstd = 50000;

Result<TiffLayout> read_tiff_layout(const TiffDirectory& directory, const DecodeLimits& limits);

}  // namespace vecframe::image
