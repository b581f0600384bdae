// JPEG files in codings that encode() does not write.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <span>
#include <vector>

// clang-format off
#include <jpeglib.h>  // does not include what it uses: after cstdio
// clang-format on

#include "image/image.h"

namespace vecframe::image {

struct JpegCoding {
  const char* name = "";
  J_COLOR_SPACE in = JCS_RGB, stored = JCS_YCbCr;
  int components = 3;
  int sampling = 1;  ///< of the first component, in both directions; of the others 1
  bool progressive = false;
  int quality = 75;
};

/// `fill` writes the bytes of row y.
inline std::vector<std::byte> jpeg_file(
    const JpegCoding& coding, Size size,
    const std::function<void(std::uint32_t y, std::span<std::uint8_t> row)>& fill) {
  jpeg_compress_struct jpeg;
  jpeg_error_mgr errors;
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* data = nullptr;
  unsigned long bytes = 0;
  jpeg_mem_dest(&jpeg, &data, &bytes);
  jpeg.image_width = size.width;
  jpeg.image_height = size.height;
  jpeg.input_components = coding.components;
  jpeg.in_color_space = coding.in;
  jpeg_set_defaults(&jpeg);
  jpeg_set_colorspace(&jpeg, coding.stored);
  jpeg_set_quality(&jpeg, coding.quality, TRUE);
  for (int c = 0; c < coding.components; ++c)
    jpeg.comp_info[c].h_samp_factor = jpeg.comp_info[c].v_samp_factor = 1;
  jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = coding.sampling;
  if (coding.progressive) jpeg_simple_progression(&jpeg);
  jpeg_start_compress(&jpeg, TRUE);
  std::vector<std::uint8_t> row(std::size_t{size.width} *
                                static_cast<std::size_t>(coding.components));
  JSAMPROW rows[] = {row.data()};
  while (jpeg.next_scanline < size.height) {
    fill(jpeg.next_scanline, row);
    jpeg_write_scanlines(&jpeg, rows, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  std::vector<std::byte> result(begin, begin + bytes);
  std::free(data);
  return result;
}

}  // namespace vecframe::image
