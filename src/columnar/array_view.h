// Reads values out of Arrow C Data arrays of the layouts this project writes.
#pragma once

#include <vecframe/arrow_c.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include "columnar/schema.h"
#include "tensor/dtype.h"

namespace vecframe::columnar {

/// Whether row `row` of `array` has a value.
inline bool is_valid(const ArrowArray& array, std::int64_t row) {
  if (array.n_buffers == 0 || array.buffers[0] == nullptr) return true;
  const auto* bitmap = static_cast<const std::uint8_t*>(array.buffers[0]);
  const std::int64_t bit = row + array.offset;
  return (bitmap[bit / 8] >> (bit % 8) & 1) != 0;
}

/// Row of a utf8 array (format "u"). Only when valid.
inline std::string_view string_at(const ArrowArray& array, std::int64_t row) {
  const auto* offsets = static_cast<const std::int32_t*>(array.buffers[1]) + array.offset + row;
  return {static_cast<const char*>(array.buffers[2]) + offsets[0],
          static_cast<std::size_t>(offsets[1] - offsets[0])};
}

/// Row of a string or binary array of any layout this project takes: 32- or 64-bit offsets, views,
/// fixed size. Only when valid.
inline std::string_view text_at(const ArrowArray& array, std::int64_t row, const DataType& type) {
  if (!type.foreign) return string_at(array, row);
  const std::string& format = type.foreign->format();
  const std::int64_t at = array.offset + row;
  if (format == "U" || format == "Z") {
    const auto* offsets = static_cast<const std::int64_t*>(array.buffers[1]) + at;
    return {static_cast<const char*>(array.buffers[2]) + offsets[0],
            static_cast<std::size_t>(offsets[1] - offsets[0])};
  }
  if (format.starts_with("w:")) {
    const auto size = static_cast<std::size_t>(std::atoll(format.c_str() + 2));
    return {static_cast<const char*>(array.buffers[1]) + static_cast<std::size_t>(at) * size, size};
  }
  if (format.starts_with("v")) {
    // 16 bytes a row: length, then the bytes themselves up to 12, or a prefix, buffer and offset.
    const char* view = static_cast<const char*>(array.buffers[1]) + 16 * at;
    std::int32_t words[4];
    std::memcpy(words, view, sizeof words);
    const auto length = static_cast<std::size_t>(words[0]);
    if (length <= 12) return {view + 4, length};
    return {static_cast<const char*>(array.buffers[2 + words[2]]) + words[3], length};
  }
  return string_at(array, row);
}

/// Row of a uint32 array (format "I"). Only when valid.
inline std::uint32_t uint32_at(const ArrowArray& array, std::int64_t row) {
  return static_cast<const std::uint32_t*>(array.buffers[1])[array.offset + row];
}

/// Row of an embedding array of this type, as float32: the array's own values, or `scratch` where
/// they have to be widened. Only when valid.
inline std::span<const float> embedding_at(const ArrowArray& array, std::int64_t row,
                                           const DataType& type, std::vector<float>& scratch) {
  const ArrowArray& values = *array.children[0];
  const std::int64_t first = values.offset + (array.offset + row) * type.dimension;
  const auto length = static_cast<std::size_t>(type.dimension);
  if (type.element == tensor::DType::kF32)
    return {static_cast<const float*>(values.buffers[1]) + first, length};
  scratch.resize(length);
  const auto* halves = static_cast<const std::uint16_t*>(values.buffers[1]) + first;
  for (std::size_t i = 0; i < length; ++i) scratch[i] = tensor::f16_to_float(halves[i]);
  return scratch;
}

}  // namespace vecframe::columnar
