// What tools/make_decode_goldens.py wrote down of Pillow, and the comparison with it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "image/image.h"
#include "image/probe.h"

namespace vecframe::image {

/// tests/golden/decode/<name>.json; its entries by file name.
nlohmann::json read_decode_goldens(const std::string& name);

std::vector<std::byte> bytes_of_hex(const std::string& hex);
std::uint32_t crc32_of(std::span<const std::byte> bytes);
std::uint32_t crc32_of(const Image& image);

/// probe, decode, convert to RGB, turn upright; the first error of these.
Result<Image> upright_rgb(std::span<const std::byte> bytes, const DecodeLimits& limits = {});

/// Sums of each channel over a grid of 4x4 cells, row by row, as the goldens hold them.
constexpr int kGrid = 4;
std::vector<std::int64_t> cell_sums(const Image& rgb);
/// Pixels of each cell, in the same order and number (three of each).
std::vector<std::int64_t> cell_pixels(Size size);

}  // namespace vecframe::image
