// Reads values out of Arrow C Data arrays of the layouts this project writes.
#pragma once

#include <vecframe/arrow_c.h>

#include <cstdint>
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
