#include "models/position_embedding.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace vecframe::models {
namespace {

// The four source indices and weights of one output coordinate; indices beyond the border are the
// border's.
struct Taps {
  std::array<std::int64_t, 4> index;
  std::array<float, 4> weight;
};

std::vector<Taps> cubic_taps(std::int64_t in, std::int64_t out) {
  constexpr float a = -0.75f;
  const auto near = [](float u) { return ((a + 2) * u - (a + 3)) * u * u + 1; };       // |u| <= 1
  const auto far = [](float u) { return ((a * u - 5 * a) * u + 8 * a) * u - 4 * a; };  // 1..2
  std::vector<Taps> taps(static_cast<std::size_t>(out));
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  for (std::int64_t i = 0; i < out; ++i) {
    const float x = scale * (static_cast<float>(i) + 0.5f) - 0.5f;
    const float left = std::floor(x);
    const float t = std::clamp(x - left, 0.0f, 1.0f);
    Taps& tap = taps[static_cast<std::size_t>(i)];
    tap.weight = {far(t + 1), near(t), near(1 - t), far(2 - t)};
    for (std::size_t k = 0; k < 4; ++k)
      tap.index[k] = std::clamp<std::int64_t>(
          static_cast<std::int64_t>(left) - 1 + static_cast<std::int64_t>(k), 0, in - 1);
  }
  return taps;
}

}  // namespace

std::vector<float> resize_positions(std::span<const float> positions, std::int64_t prefix,
                                    std::int64_t width, Grid from, Grid to) {
  if (from == to) return {positions.begin(), positions.end()};
  const auto values = [](std::int64_t count) { return static_cast<std::size_t>(count); };
  std::vector<float> result(values((prefix + to.height * to.width) * width));
  std::copy_n(positions.begin(), prefix * width, result.begin());
  const std::vector<Taps> rows = cubic_taps(from.height, to.height);
  const std::vector<Taps> columns = cubic_taps(from.width, to.width);
  const float* source = positions.data() + prefix * width;
  float* out = result.data() + prefix * width;
  for (const Taps& row : rows) {
    for (const Taps& column : columns) {
      for (std::int64_t c = 0; c < width; ++c) {
        float sum = 0;
        for (std::size_t i = 0; i < 4; ++i) {
          float along = 0;
          for (std::size_t j = 0; j < 4; ++j)
            along += column.weight[j] *
                     source[(row.index[i] * from.width + column.index[j]) * width + c];
          sum += row.weight[i] * along;
        }
        *out++ = sum;
      }
    }
  }
  return result;
}

}  // namespace vecframe::models
