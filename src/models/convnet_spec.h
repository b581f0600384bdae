// A plain chain of inverted-bottleneck stages: stem, stages, head, global average.
#pragma once

#include <cstdint>
#include <vector>

namespace vecframe::models {

/// `repeats` blocks: expand 1x1, depthwise kernel x kernel, project 1x1 (linear). The first block
/// has the stride and changes the width; the others are residual.
struct ConvStage {
  std::int64_t repeats, kernel, stride, expansion, in, out;
};

struct ConvnetSpec {
  std::int64_t image_size = 0;  ///< square
  std::int64_t stem = 0;        ///< channels after the 3x3 stride-2 stem
  std::vector<ConvStage> stages;
  std::int64_t head = 0;  ///< channels after the last 1x1, which are averaged into the embedding
  double batch_norm_epsilon = 1e-3;
};

}  // namespace vecframe::models
