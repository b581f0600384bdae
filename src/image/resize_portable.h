// The kernels of resize_kernels.h in plain C++: for machines without 128-bit vectors, and for rows
// shorter than one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "image/resize_weights.h"

namespace vecframe::image {

void horizontal_pass_portable(const std::uint8_t* const* inputs, std::uint32_t columns,
                              int channels, const AxisWeights& weights,
                              std::uint8_t* const* outputs, std::uint32_t num_outputs);

void vertical_pass_portable(const std::uint8_t* const* rows, std::size_t bytes,
                            const AxisWeights& weights, std::uint32_t i, std::uint8_t* output);

}  // namespace vecframe::image
