// Image towers of CLIP on random weights, over the compute interface.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "compute/backend.h"

namespace vecframe::benchmarks {

struct TowerSize {
  std::string name;
  std::int64_t patch, width, layers, heads, projection;
  std::int64_t patches() const { return (224 / patch) * (224 / patch); }
  std::int64_t tokens() const { return patches() + 1; }
  double flops() const {
    const auto w = static_cast<double>(width), t = static_cast<double>(tokens());
    return 2 * static_cast<double>(patches()) * 3 * static_cast<double>(patch * patch) * w +
           static_cast<double>(layers) * (2 * t * 12 * w * w + 4 * t * t * w) +
           2 * w * static_cast<double>(projection);
  }
};

inline const std::vector<TowerSize>& tower_sizes() {
  static const std::vector<TowerSize> list = {{"B/32", 32, 768, 12, 12, 512},
                                              {"B/16", 16, 768, 12, 12, 512},
                                              {"L/14", 14, 1024, 24, 16, 768}};
  return list;
}

// CLIP's image tower.
class Tower {
 public:
  Tower(compute::Backend& backend, const TowerSize& size, tensor::Precision precision)
      : size_(size), precision_(precision) {
    const std::int64_t w = size.width;
    patch_ = backend.pack(
        compute::PatchWeights{random(w * 3 * size.patch * size.patch), {}, size.patch, w},
        precision);
    class_token_ = backend.upload(random(w));
    positions_ = backend.upload(random(size.tokens() * w));
    one_ = backend.upload(std::vector<float>(static_cast<std::size_t>(w), 1.0f));
    zero_ = backend.upload(std::vector<float>(static_cast<std::size_t>(w), 0.0f));
    const auto linear = [&](std::int64_t in, std::int64_t out) {
      return backend.pack(compute::LinearWeights{random(in * out), random(out), in, out},
                          precision);
    };
    for (std::int64_t i = 0; i < size.layers; ++i)
      blocks_.push_back({linear(w, 3 * w), linear(w, w), linear(w, 4 * w), linear(4 * w, w)});
    projection_ = linear(w, size.projection);
    for (auto& channel : table_)
      for (std::size_t i = 0; i < 256; ++i) channel[i] = static_cast<float>(i) / 64 - 2;
  }

  void run(compute::Stream& stream, const std::vector<std::uint8_t>& pixels, std::int64_t batch,
           std::span<float> out) const {
    stream.reset();
    const std::int64_t w = size_.width, tokens = size_.tokens(), rows = batch * tokens;
    const auto matrix = [&](std::int64_t r, std::int64_t c) {
      return compute::Matrix{stream.allocate(r * c), r, c, c};
    };
    const compute::Matrix x = matrix(rows, w), pooled = matrix(batch, w),
                          embedding = matrix(batch, size_.projection);
    compute::Matrix n = matrix(rows, w), qkv = matrix(rows, 3 * w), hidden = matrix(rows, 4 * w);
    n.narrow = hidden.narrow = precision_ == tensor::Precision::kBf16;
    qkv.narrow = precision_ != tensor::Precision::kFp32;
    stream.embed_patches(*patch_, {pixels.data(), batch, 224, 224, &table_}, tokens, 1, x);
    stream.broadcast_rows(*class_token_, batch, tokens, 0, x);
    stream.add_rows(*positions_, batch, x);
    norm(stream, x, x);
    const float scale = 1 / std::sqrt(static_cast<float>(w / size_.heads));
    for (const Block& block : blocks_) {
      norm(stream, x, n);
      stream.linear(*block.qkv, n, compute::Activation::kNone, {}, qkv);
      stream.attention(qkv, batch, size_.heads, scale, precision_, n);
      stream.linear(*block.out, n, compute::Activation::kNone, x, x);
      norm(stream, x, n);
      stream.linear(*block.up, n, compute::Activation::kQuickGelu, {}, hidden);
      stream.linear(*block.down, hidden, compute::Activation::kNone, x, x);
    }
    stream.gather_rows(x, 0, tokens, pooled);
    norm(stream, pooled, pooled);
    stream.linear(*projection_, pooled, compute::Activation::kNone, {}, embedding);
    stream.download(embedding, out);
  }

 private:
  struct Block {
    std::unique_ptr<compute::Linear> qkv, out, up, down;
  };

  void norm(compute::Stream& stream, compute::Matrix x, compute::Matrix y) const {
    stream.normalize(compute::NormKind::kLayerNorm, *one_, zero_.get(), 1e-5f, x, y);
  }

  // Small enough that values stay of order one through all layers.
  std::vector<float> random(std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = (static_cast<float>(engine_() % 2001) - 1000) * 2e-5f;
    return values;
  }

  const TowerSize size_;
  const tensor::Precision precision_;
  std::minstd_rand engine_{3};
  std::unique_ptr<compute::PatchEmbedding> patch_;
  std::unique_ptr<compute::Vector> class_token_, positions_, one_, zero_;
  std::vector<Block> blocks_;
  std::unique_ptr<compute::Linear> projection_;
  std::array<std::array<float, 256>, 3> table_{};
};

}  // namespace vecframe::benchmarks
