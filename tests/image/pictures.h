// Pictures that a script in another language can make too, and what the resize and prepare tests
// compare them by.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "image/image.h"
#include "image/resize.h"

namespace vecframe::image {

/// Bytes (s >> 16) & 255 of the generator s = (s * 1103515245 + 12345) mod 2^31, row by row.
Image lcg_picture(Mode mode, Size size, std::uint32_t seed);
/// The same with each byte's high bit spread over the whole byte.
Image black_and_white_picture(Mode mode, Size size, std::uint32_t seed);

bool same_pixels(const Image& a, const Image& b);

/// CRC-32 as zlib computes it.
std::uint32_t crc32_of(std::span<const std::uint8_t> bytes);

nlohmann::json read_golden(const std::string& name);
Filter filter_named(const std::string& name);
Resampler resampler_named(const std::string& name);

/// Instruction sets that both the build and this machine have.
std::vector<std::int64_t> available_targets();
std::string target_name(std::int64_t target);
/// Restricts the kernels to one of them; 0 lifts the restriction.
void use_only_target(std::int64_t target);

}  // namespace vecframe::image
