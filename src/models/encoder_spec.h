// The shape of a stack of transformer blocks, of pictures or of texts.
#pragma once

#include <cstdint>

#include "compute/types.h"

namespace vecframe::models {

struct EncoderSpec {
  std::int64_t width = 0;  ///< of a token
  std::int64_t heads = 0;
  std::int64_t layers = 0;
  std::int64_t mlp_width = 0;
  compute::Activation activation = compute::Activation::kGeluErf;
  bool gated_mlp = false;  ///< act(gate(x)) * up(x) in place of act(fc1(x))
  compute::NormKind norm = compute::NormKind::kLayerNorm;
  float epsilon = 1e-6f;   ///< of every norm
  bool post_norm = false;  ///< x + norm(f(x)) in place of x + f(norm(x))
  /// Rotary positions turn channels (2 j, 2 j + 1) of a head, not (j, j + head_width / 2).
  bool adjacent_pairs = false;
  bool query_bias = true, key_bias = true, value_bias = true, output_bias = true, mlp_bias = true;

  void set_qkv_bias(bool bias) { query_bias = key_bias = value_bias = bias; }
  /// Columns of the first product of the MLP.
  std::int64_t hidden_width() const { return (gated_mlp ? 2 : 1) * mlp_width; }
  std::int64_t head_width() const { return width / heads; }
  /// Multiply-adds of the blocks for one sequence of `tokens`.
  double products(std::int64_t tokens) const {
    const auto w = static_cast<double>(width), t = static_cast<double>(tokens);
    return static_cast<double>(layers) * (4 * t * w * w + 2 * t * t * w +
                                          t * w * static_cast<double>(hidden_width() + mlp_width));
  }
};

}  // namespace vecframe::models
