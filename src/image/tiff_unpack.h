// From the samples of a TIFF to pixels, with Pillow's arithmetic.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "image/tiff_directory.h"
#include "image/tiff_layout.h"

namespace vecframe::image {

class TiffUnpacker {
 public:
  /// `big_endian` is the order of samples wider than a byte in the rows to come.
  TiffUnpacker(const TiffLayout& layout, const TiffDirectory& directory, bool big_endian);

  /// `in`: (layout.num_samples x width samples); `out`: width pixels of layout.mode.
  void row(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const;

 private:
  void gray(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const;
  void gray12(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const;
  void numbers(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const;
  void palette(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const;
  void colours(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const;
  void ycbcr(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const;
  void cmyk(const std::uint8_t* in, std::size_t width, std::uint8_t* out) const;

  TiffLayout layout_;
  bool big_endian_;
  std::array<std::array<std::uint8_t, 3>, 256> palette_{};
};

}  // namespace vecframe::image
