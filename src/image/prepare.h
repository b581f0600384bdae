// A model's own preprocessing, from an RGB picture to one slot of the packed input of its first
// layer.
//
// A slot is uint8 pixels [height, width, 3] after resize and crop. Rescaling and normalising depend
// only on the byte and its channel, so they are a table that the patch embedding applies;
// pixel_values() spells them out for tests and users. Processors that resize what they have
// rescaled (Resampler::kFloat) are the exception: their slots are the float32 pixel values
// themselves, in the same order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "image/image.h"
#include "image/resize.h"

namespace vecframe::image {

enum class ResizeRule : std::uint8_t {
  kNone,
  kExact,         ///< to (height, width), aspect ratio ignored
  kShortestEdge,  ///< shorter side to `shortest_edge`, longer to int(shortest_edge * long / short)
  /// Aspect ratio kept, so that the picture just covers (height, width), or just fits into it; the
  /// other side is rounded, a half to the even neighbour.
  kCover,
  kFit,
  /// The centre square of side int(min(width, height) * square_fraction), resized to (height,
  /// width). Left and top are the truncated halves of the rest.
  kCentreSquare,
};

enum class CropRule : std::uint8_t {
  kNone,
  kTorchvision,  ///< top = (h - ch) / 2; padding before = (c - n) / 2, after = (c - n + 1) / 2
  kPillow,       ///< as kTorchvision, but padding before = ceil((c - n) / 2)
  kRound,        ///< timm: top = round_half_even((h - ch) / 2)
};

/// Without do_rescale, x is the byte itself under every rule: (x - 127) / 128, say, is do_rescale
/// false, mean 127 and std 128.
enum class NormalizeRule : std::uint8_t {
  kFused,     ///< float32 (x - mean/rescale) / (std/rescale), as the torchvision processors
  kStepwise,  ///< t = float32(float64(x) * rescale); (t - mean) / std, as the Pillow processors
  kTimm,      ///< t = x / 255 in float32; (t - mean) / std
};

struct PrepareSpec {
  ResizeRule resize = ResizeRule::kNone;
  std::uint32_t resize_height = 0, resize_width = 0;  ///< all but kNone, kShortestEdge
  std::uint32_t shortest_edge = 0;                    ///< kShortestEdge
  double square_fraction = 1.0;                       ///< kCentreSquare
  Filter filter = Filter::kBicubic;
  Resampler resampler = Resampler::kTorchvision;
  CropRule crop = CropRule::kNone;
  std::uint32_t crop_height = 0, crop_width = 0;
  bool do_rescale = true;
  double rescale_factor = 1.0 / 255.0;
  bool do_normalize = true;
  std::array<float, 3> mean{0.f, 0.f, 0.f};
  std::array<float, 3> std{1.f, 1.f, 1.f};
  NormalizeRule normalize = NormalizeRule::kFused;

  /// Height and width of a slot: crop size if cropping, else the resize size. kShortestEdge,
  /// kCover, kFit or kNone without a crop has no fixed size and is refused when the spec is read.
  Size slot_size() const;
  bool has_float_slots() const { return resampler == Resampler::kFloat; }
  std::size_t slot_values() const {
    return std::size_t{slot_size().width} * slot_size().height * 3;
  }
  std::size_t slot_bytes() const {
    return slot_values() * (has_float_slots() ? sizeof(float) : sizeof(std::uint8_t));
  }
  /// Identity of the recipe: equal text, equal pixels.
  std::string canonical_text() const;
};

/// pixel_value = table[channel][byte].
using NormalizationTable = std::array<std::array<float, 256>, 3>;
NormalizationTable normalization_table(const PrepareSpec& spec);

/// Upper bound of the bytes prepare() allocates for an RGB picture of `size`.
std::uint64_t prepare_bytes(const PrepareSpec& spec, Size size);

/// Writes the slot of an RGB image: `slot.size() == spec.slot_bytes()`, aligned to 4 bytes if it
/// holds float32. A side that would shrink to
/// 0, or grow beyond 2^24, is an error (stage prepare, unsupported). Of the resized picture only
/// what the crop keeps is computed.
Status prepare(const PrepareSpec& spec, const Image& rgb, std::span<std::uint8_t> slot);

/// The slot as the processor's `pixel_values`: float32 [3, height, width].
void pixel_values(const PrepareSpec& spec, std::span<const std::uint8_t> slot,
                  std::span<float> out);

}  // namespace vecframe::image
