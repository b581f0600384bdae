// Position embeddings for another grid of patches than the one they were trained on.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vecframe::models {

struct Grid {
  std::int64_t height = 0, width = 0;
  friend bool operator==(const Grid&, const Grid&) = default;
};

/// Resizes rows [prefix, prefix + from.height * from.width) of `positions`, each `width` values,
/// with torch's bicubic filter (a = -0.75, no antialiasing, align_corners=False); the first
/// `prefix` rows are kept.
std::vector<float> resize_positions(std::span<const float> positions, std::int64_t prefix,
                                    std::int64_t width, Grid from, Grid to);

}  // namespace vecframe::models
