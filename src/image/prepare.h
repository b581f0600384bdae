// A model's own preprocessing, from an RGB picture to one slot of the packed input of its first
// layer.
//
// A slot is uint8 pixels [height, width, 3] after resize and crop. Rescaling and normalising depend
// only on the byte and its channel, so they are a table that the patch embedding applies;
// pixel_values() spells them out for tests and users. Processors that resize what they have
// rescaled (Resampler::kFloat) are the exception: their slots are the float32 pixel values
// themselves, in the same order.
//
// Where pictures come out in different sizes (ResizeRule::kPatches), a slot is as long as the
// largest of them, begins with the size of its own, and is undefined past its last pixel.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"
#include "image/image.h"
#include "image/reduce.h"
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
  /// To whole patches of `patch` pixels, `max_patches` of them at most, the aspect ratio kept as
  /// far as they allow; see fit_patches(). Every picture has its own size.
  kPatches,
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
  std::uint32_t patch = 0, max_patches = 0;           ///< kPatches
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

  /// Height and width of every slot's picture: crop size if cropping, else the resize size. There
  /// is none where sizes vary. kShortestEdge, kCover, kFit or kNone without a crop has no
  /// fixed size and is refused when the spec is read.
  Size slot_size() const;
  /// Whether each slot begins with the size of its picture.
  bool has_variable_size() const { return resize == ResizeRule::kPatches; }
  bool has_float_slots() const { return resampler == Resampler::kFloat; }
  /// Values of a picture, or of the largest there may be.
  std::size_t slot_values() const;
  std::size_t slot_bytes() const;
  /// Identity of the recipe: equal text, equal pixels.
  std::string canonical_text() const;
  /// The recipe for people, on one line.
  std::string readable_text() const;
};

/// pixel_value = table[channel][byte].
using NormalizationTable = std::array<std::array<float, 256>, 3>;
NormalizationTable normalization_table(const PrepareSpec& spec);

/// Upper bound of the bytes prepare() allocates for an RGB picture of `size`, which `whole` was.
std::uint64_t prepare_bytes(const PrepareSpec& spec, Size size, const Whole& whole);
inline std::uint64_t prepare_bytes(const PrepareSpec& spec, Size size) {
  return prepare_bytes(spec, size, {size});
}

/// By how much the resize of a picture of `size` divides both its sides at least: how far the
/// picture may be reduced before (reduce.h). 1 for a picture that prepare() refuses.
double shrink_of(const PrepareSpec& spec, Size size);

/// Writes the slot of an RGB image: `slot.size() == spec.slot_bytes()`, aligned to 4 bytes if it
/// holds float32. A side that would shrink to
/// 0, or grow beyond 2^24, is an error (stage prepare, unsupported), as are more patches than the
/// spec allows. Of the resized picture only what the crop keeps is computed. A picture that was
/// reduced is resized and cropped as `whole` would be.
Status prepare(const PrepareSpec& spec, const Image& rgb, std::span<std::uint8_t> slot,
               const std::optional<Whole>& whole = std::nullopt);

/// What a slot holds.
struct SlotPicture {
  Size size;
  /// [height, width, 3], uint8 or float32.
  std::span<const std::uint8_t> bytes;
};
/// Of a slot that prepare() wrote.
SlotPicture slot_picture(const PrepareSpec& spec, std::span<const std::uint8_t> slot);

/// The slot as the processor's `pixel_values`: float32 [3, height, width], or, under kPatches,
/// [patches, patch, patch, 3] without padding. `out` is as long as the picture has values.
void pixel_values(const PrepareSpec& spec, std::span<const std::uint8_t> slot,
                  std::span<float> out);

}  // namespace vecframe::image
