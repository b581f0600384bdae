// The headers of a BMP, read as Pillow reads them: the same variants, the same refusals.
#pragma once

#include <array>
#include <cstdint>

#include "base/result.h"
#include "image/byte_reader.h"
#include "image/image.h"
#include "image/probe.h"

namespace vecframe::image {

struct BmpHeader {
  enum class Coding : std::uint8_t { kRaw, kRle8, kRle4 };
  enum class Samples : std::uint8_t {
    kGray,     ///< 8-bit values, or with 1 bit black and white
    kPalette,  ///< indices into `palette`
    kBgr555,
    kBgr565,
    kBytes,  ///< whole bytes a channel, in the order of `channels`
  };

  Size size;
  Coding coding = Coding::kRaw;
  Samples samples = Samples::kBytes;
  int bits = 0;  ///< of one pixel as it is unpacked
  bool top_down = false;
  std::uint64_t stride = 0;  ///< bytes from row to row, padding included
  std::uint64_t data_offset = 0;
  Bytes palette;  ///< BGR, BGR, ... with `palette_stride` bytes an entry
  std::size_t palette_stride = 4;
  std::array<std::uint8_t, 4> channels{};  ///< byte of red, green, blue, alpha in a pixel
  bool has_alpha = false;

  Mode mode() const {
    return samples == Samples::kGray ? Mode::kL : has_alpha ? Mode::kRGBA : Mode::kRGB;
  }
  std::uint64_t row_bytes() const {
    return (std::uint64_t{size.width} * static_cast<std::uint64_t>(bits) + 7) / 8;
  }
};

Result<BmpHeader> read_bmp_header(Bytes file, const DecodeLimits& limits);

}  // namespace vecframe::image
