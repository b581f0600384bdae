#include "decode_goldens.h"

#include <zlib.h>

#include <fstream>
#include <utility>

#include "image/convert.h"
#include "image/decode.h"
#include "image/orientation.h"
#include "source_directory.h"

namespace vecframe::image {

nlohmann::json read_decode_goldens(const std::string& name) {
  std::ifstream file(VECFRAME_SOURCE_DIR "/tests/golden/decode/" + name + ".json");
  auto document = nlohmann::json::parse(file);
  document.erase("pillow");
  return document;
}

std::vector<std::byte> bytes_of_hex(const std::string& hex) {
  std::vector<std::byte> bytes(hex.size() / 2);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<std::byte>(std::stoi(hex.substr(2 * i, 2), nullptr, 16));
  }
  return bytes;
}

std::uint32_t crc32_of(std::span<const std::byte> bytes) {
  return static_cast<std::uint32_t>(
      crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}
std::uint32_t crc32_of(const Image& image) { return crc32_of(std::as_bytes(image.pixels())); }

Result<Image> upright_rgb(std::span<const std::byte> bytes, const DecodeLimits& limits) {
  const auto info = probe(bytes, limits);
  if (!info.ok()) return info.error();
  auto image = decode(bytes, *info);
  if (!image.ok()) return image;
  if (image->mode() != info->mode || image->size() != info->size) {
    return RowError{Stage::kDecode, ErrorCode::kBadOutput, "decode() is not what probe() said"};
  }
  return apply_orientation(convert(std::move(image).value(), Mode::kRGB), info->orientation);
}

namespace {

template <class Visit>
void for_each_cell(Size size, Visit visit) {
  for (std::uint32_t i = 0; i < kGrid; ++i) {
    for (std::uint32_t j = 0; j < kGrid; ++j) {
      visit(size.height * i / kGrid, size.height * (i + 1) / kGrid, size.width * j / kGrid,
            size.width * (j + 1) / kGrid);
    }
  }
}

}  // namespace

std::vector<std::int64_t> cell_sums(const Image& rgb) {
  std::vector<std::int64_t> sums;
  for_each_cell(rgb.size(), [&](auto top, auto bottom, auto left, auto right) {
    std::array<std::int64_t, 3> sum{};
    for (auto y = top; y < bottom; ++y) {
      for (auto x = left; x < right; ++x) {
        for (std::size_t c = 0; c < 3; ++c) sum[c] += rgb.row(y)[3 * x + c];
      }
    }
    sums.insert(sums.end(), sum.begin(), sum.end());
  });
  return sums;
}

std::vector<std::int64_t> cell_pixels(Size size) {
  std::vector<std::int64_t> counts;
  for_each_cell(size, [&](auto top, auto bottom, auto left, auto right) {
    counts.insert(counts.end(), 3, std::int64_t{bottom - top} * (right - left));
  });
  return counts;
}

}  // namespace vecframe::image
