// Pixels to a file's bytes, by the libraries that decode() reads with.
//
// A format that cannot hold a mode but can hold its samples gets them in another one: gray becomes
// RGB, and gray with alpha RGBA, in WebP; gray with alpha becomes RGBA in BMP. Nothing is dropped
// in silence: alpha does not go into JPEG, and the row fails. GIF, whose alpha is on or off, takes
// alpha 0 for clear and all else for opaque, and reduces more than 256 colours by median cut,
// without dithering.
//
// The reference dataframe differs: it drops the alpha of LA in BMP, refuses LA in TIFF and GIF, L
// in GIF, and all WebP.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "image/image.h"
#include "image/probe.h"

namespace vecframe::image {

struct EncodeOptions {
  Format format = Format::kPng;
  /// Of JPEG and of lossy WebP, 1 to 100; what lies outside counts as the nearer end. JPEG keeps
  /// colours at full resolution (4:4:4), as the reference does.
  int quality = 75;
  /// WebP alone: every sample comes back as it was, also under alpha 0.
  bool lossless = false;
};

/// Whether encode() takes pictures of `mode` for `format`, apart from their size.
bool can_encode(Format format, Mode mode);

/// Encodes a picture. PNG and lossless WebP are compressed at their libraries' default efforts,
/// TIFF and BMP not at all. A WebP without any transparency decodes without alpha. Errors (stage
/// prepare): unsupported for a mode that can_encode() denies, a picture without pixels, or sides
/// that the format cannot hold (JPEG 65500, GIF 65535, WebP 16383 pixels, BMP and TIFF 4 GB);
/// over_budget where the system has no memory. Never throws.
Result<std::vector<std::byte>> encode(const Image& image, const EncodeOptions& options);

/// Upper bound of the bytes that encode() holds at its peak, its result included, the picture not.
std::uint64_t encode_bytes(Mode mode, Size size, const EncodeOptions& options);

}  // namespace vecframe::image
