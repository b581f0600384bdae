// From an encoded file to an RGB picture that stands upright, and the memory that takes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/result.h"
#include "image/image.h"
#include "image/prepare.h"
#include "image/probe.h"

namespace vecframe::exec {

/// Upper bound of the bytes that decode_rgb() and then image::prepare() hold at once, beside the
/// encoded bytes and the slot.
std::int64_t working_bytes(const image::ImageInfo& info, const image::PrepareSpec& spec,
                           bool apply_orientation);

/// Errors (stage decode): those of image::decode(), and over_budget when the operating system
/// refuses the memory.
Result<image::Image> decode_rgb(std::span<const std::byte> encoded, const image::ImageInfo& info,
                                bool apply_orientation);

}  // namespace vecframe::exec
