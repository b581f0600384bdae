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
/// with one of torch's bicubic filters (align_corners=False): without antialiasing, a = -0.75; with
/// it, a = -0.5. The first `prefix` rows are kept.
std::vector<float> resize_positions(std::span<const float> positions, std::int64_t prefix,
                                    std::int64_t width, Grid from, Grid to, bool antialias);

/// AIMv2's fixed positions, [sin x w | cos x w | sin y w | cos y w] with w_k = 10000^(-k / (width /
/// 4)): a row for each patch at column x, row y. `width` is a multiple of 4.
std::vector<float> sine_positions(std::int64_t width, Grid grid);

}  // namespace vecframe::models
