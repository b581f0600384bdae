#pragma once

#include <cstdint>

namespace vecframe::backends::cpu {

/// A bias of relative positions for one head, by a table as of
/// compute::Stream::relative_attention().
struct RelativeBias {
  const float* table = nullptr;
  std::int64_t rows = 0, columns = 0;  ///< of the grid of patches

  std::int64_t distances() const { return (2 * rows - 1) * (2 * columns - 1); }
  RelativeBias of_head(std::int64_t head) const {
    return {table + head * (distances() + 3), rows, columns};
  }

  /// scores = scores * factor + bias of query `token` and every key. To the keys of one row of the
  /// grid it adds neighbours of the table.
  void add(std::int64_t token, float factor, float* scores) const {
    const float* special = table + distances();
    if (token == 0) {
      scores[0] = scores[0] * factor + special[2];
      for (std::int64_t j = 1; j <= rows * columns; ++j)
        scores[j] = scores[j] * factor + special[0];
      return;
    }
    scores[0] = scores[0] * factor + special[1];
    const std::int64_t y = (token - 1) / columns, x = (token - 1) % columns;
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* from = table + (row - y + rows - 1) * (2 * columns - 1) + columns - 1 - x;
      float* to = scores + 1 + row * columns;
      for (std::int64_t c = 0; c < columns; ++c) to[c] = to[c] * factor + from[c];
    }
  }
};

}  // namespace vecframe::backends::cpu
