// The two inner loops of a separable resampling, compiled for every instruction set and chosen when
// they run. All sums are integers modulo 2^32, so every instruction set gives the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "image/resize_weights.h"

namespace vecframe::image {

/// Rows that the horizontal kernel takes at a time: its vectors run down the rows.
inline constexpr std::uint32_t kBlockRows = 16;

/// Bytes of scratch for horizontal_pass() over `columns` input pixels; a multiple of 64.
std::size_t horizontal_scratch_bytes(std::uint32_t columns, int channels);

/// Resamples kBlockRows rows, each of `columns` pixels, into rows of weights.size() pixels.
/// `weights` starts every output at an even tap. `scratch` is aligned to 64 bytes. Only the first
/// `num_outputs` rows of `outputs` are written; the inputs of the others are read all the same.
void horizontal_pass(const std::uint8_t* const* inputs, std::uint32_t columns, int channels,
                     const AxisWeights& weights, std::uint8_t* scratch,
                     std::uint8_t* const* outputs, std::uint32_t num_outputs);

/// The weighted sum of rows that makes output `i`: rows[k] is the row of tap k, 2 * pairs[i] of
/// them, each `bytes` long.
void vertical_pass(const std::uint8_t* const* rows, std::size_t bytes, const AxisWeights& weights,
                   std::uint32_t i, std::uint8_t* output);

}  // namespace vecframe::image
