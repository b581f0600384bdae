// The knobs of the one vision transformer. A family sets them and says what its tensors are called;
// it has no code of its own at run time.
#pragma once

#include <cstdint>

#include "models/encoder_spec.h"

namespace vecframe::models {

enum class PositionResize : std::uint8_t {
  kRefuse,              ///< another picture size is an error, as in the reference without its flag
  kBicubic,             ///< torch's bicubic without antialiasing, whenever the grid differs
  kBicubicAntialiased,  ///< the same with antialiasing
};

enum class Positions : std::uint8_t {
  kLearned,
  kSinCos,  ///< computed for the picture's own grid: no tensor
  kNone,    ///< none are added
};

/// Queries and keys of patches are turned in every block, by angles of their coordinates.
enum class Rotary : std::uint8_t {
  kNone,
  kCentred,  ///< DINOv3's: from -1 to 1 over the picture
  kScaled,   ///< EVA's: from 0, as if every picture had `rotary_grid` rows and columns
};

enum class Pooling : std::uint8_t {
  kClassToken,  ///< the first row
  kMean,        ///< of the patches
  kAttention,   ///< by one learned query
};

struct VitSpec : EncoderSpec {
  // The size of picture the positions were trained for, and the size that the processor makes.
  std::int64_t trained_height = 0, trained_width = 0;
  std::int64_t image_height = 0, image_width = 0;
  std::int64_t patch = 0;
  std::int64_t prefix_tokens = 1;  ///< class token, then the distillation token if there is one
  std::int64_t registers = 0;      ///< tokens between those and the patches, without a position
  Pooling pooling = Pooling::kClassToken;
  bool norm_after_pooling = false;  ///< the final norm is of the mean, not of the tokens
  Positions positions = Positions::kLearned;
  Rotary rotary = Rotary::kNone;
  double rotary_base = 100;  ///< of the frequencies
  double rotary_grid = 16;   ///< of kScaled
  /// Biases of attention by the distance of two patches: of each block's own, of one table for all,
  /// or their sum. Interpolated to any grid.
  bool block_distances = false, shared_distances = false;
  PositionResize position_resize = PositionResize::kRefuse;
  /// Where the user asks for another picture size.
  PositionResize requested_resize = PositionResize::kBicubic;

  std::int64_t trained_patches() const {
    return (trained_height / patch) * (trained_width / patch);
  }
  std::int64_t patches() const { return (image_height / patch) * (image_width / patch); }
  std::int64_t tokens() const { return prefix_tokens + registers + patches(); }
};

}  // namespace vecframe::models
