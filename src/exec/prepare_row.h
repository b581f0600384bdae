// From an encoded file to its slot, and the memory that takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "image/image.h"
#include "image/prepare.h"
#include "image/probe.h"

namespace vecframe::exec {

/// Upper bound of the bytes that prepare_row() holds at once, beside the encoded bytes and the
/// slot.
std::int64_t working_bytes(const image::ImageInfo& info, const image::PrepareSpec& spec,
                           bool apply_orientation);

/// Writes the slot of a picture, turned upright if it is to be; one that lies upright and comes row
/// by row is resized while it is decoded, and never lies in memory as a whole. Errors: those of
/// decode_rgb() and image::prepare(), after which the slot holds anything.
Status prepare_row(std::span<const std::byte> encoded, const image::ImageInfo& info,
                   const image::PrepareSpec& spec, bool apply_orientation,
                   std::span<std::uint8_t> slot);

/// The picture alone, in RGB and upright, of info.decoded_size() before it is turned. Errors (stage
/// decode): those of image::decode(), and over_budget when the operating system refuses the memory.
Result<image::Image> decode_rgb(std::span<const std::byte> encoded, const image::ImageInfo& info,
                                bool apply_orientation);

}  // namespace vecframe::exec
