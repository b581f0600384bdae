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

/// torch's filters of that name, align_corners=False. Bicubic is a = -0.75 without antialiasing,
/// and a = -0.5 with it.
enum class PositionFilter : std::uint8_t { kBicubic, kBicubicAntialiased, kBilinearAntialiased };

/// Resizes rows [prefix, prefix + from.height * from.width) of `positions`, each `width` values,
/// to the grid `to`. The first `prefix` rows are kept. Memory besides the result: at most
/// sqrt(from.height * from.width * to.height * to.width) rows.
std::vector<float> resize_positions(std::span<const float> positions, std::int64_t prefix,
                                    std::int64_t width, Grid from, Grid to, PositionFilter filter);

/// BEiT's biases by distance, as compute::Stream::relative_attention() takes them. `stored` has a
/// row of `heads` values for each distance, query before key, of a grid of `from`, then three for
/// the class token; the distances are resized by torch's bilinear filter (align_corners=False).
std::vector<float> distance_table(std::span<const float> stored, std::int64_t heads, Grid from,
                                  Grid to);

/// AIMv2's fixed positions, [sin x w | cos x w | sin y w | cos y w] with w_k = 10000^(-k / (width /
/// 4)): a row for each patch at column x, row y. `width` is a multiple of 4.
std::vector<float> sine_positions(std::int64_t width, Grid grid);

/// DINOv3's rotary positions: for each patch head_dim / 2 cosines, then as many sines, of the
/// angles [2 pi y f | 2 pi x f] with f_j = base^(-4 j / head_dim), where y and x are those of the
/// patch's centre in [-1, 1]. `head_dim` is a multiple of 4.
std::vector<float> centred_turns(std::int64_t head_dim, double base, Grid grid);

/// EVA's: the angles are [y f | x f], where row r has y = r / grid.height * reference, and columns
/// likewise.
std::vector<float> scaled_turns(std::int64_t head_dim, double base, double reference, Grid grid);

}  // namespace vecframe::models
