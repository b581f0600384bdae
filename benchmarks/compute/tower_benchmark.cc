// Whole image towers on random weights, one stream a thread, as a share of the FMA probe. FLOPs are
// 2 x multiply-adds of the patch, linear and attention products.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "compute/ratio.h"

namespace vecframe::benchmarks {
namespace {

using compute::Activation;
using compute::Matrix;
using compute::NormKind;
using tensor::Precision;

struct Size {
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

const std::vector<Size>& sizes() {
  static const std::vector<Size> list = {{"B/32", 32, 768, 12, 12, 512},
                                         {"B/16", 16, 768, 12, 12, 512},
                                         {"L/14", 14, 1024, 24, 16, 768}};
  return list;
}

// CLIP's image tower.
class Tower {
 public:
  Tower(compute::Backend& backend, const Size& size, Precision precision) : size_(size) {
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
      return Matrix{stream.allocate(r * c), r, c, c};
    };
    const Matrix x = matrix(rows, w), n = matrix(rows, w), qkv = matrix(rows, 3 * w),
                 hidden = matrix(rows, 4 * w), pooled = matrix(batch, w),
                 embedding = matrix(batch, size_.projection);
    stream.embed_patches(*patch_, {pixels.data(), batch, 224, 224, &table_}, tokens, 1, x);
    stream.broadcast_rows(*class_token_, batch, tokens, 0, x);
    stream.add_rows(*positions_, batch, x);
    norm(stream, x, x);
    const float scale = 1 / std::sqrt(static_cast<float>(w / size_.heads));
    for (const Block& block : blocks_) {
      norm(stream, x, n);
      stream.linear(*block.qkv, n, Activation::kNone, {}, qkv);
      stream.attention(qkv, batch, size_.heads, scale, n);
      stream.linear(*block.out, n, Activation::kNone, x, x);
      norm(stream, x, n);
      stream.linear(*block.up, n, Activation::kQuickGelu, {}, hidden);
      stream.linear(*block.down, hidden, Activation::kNone, x, x);
    }
    stream.gather_rows(x, 0, tokens, pooled);
    norm(stream, pooled, pooled);
    stream.linear(*projection_, pooled, Activation::kNone, {}, embedding);
    stream.download(embedding, out);
  }

 private:
  struct Block {
    std::unique_ptr<compute::Linear> qkv, out, up, down;
  };

  void norm(compute::Stream& stream, Matrix x, Matrix y) const {
    stream.normalize(NormKind::kLayerNorm, *one_, zero_.get(), 1e-5f, x, y);
  }

  // Small enough that values stay of order one through all layers.
  std::vector<float> random(std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = (static_cast<float>(engine_() % 2001) - 1000) * 2e-5f;
    return values;
  }

  const Size size_;
  std::minstd_rand engine_{3};
  std::unique_ptr<compute::PatchEmbedding> patch_;
  std::unique_ptr<compute::Vector> class_token_, positions_, one_, zero_;
  std::vector<Block> blocks_;
  std::unique_ptr<compute::Linear> projection_;
  std::array<std::array<float, 256>, 3> table_{};
};

int main_of(int argc, char** argv) {
  CLI::App app("Image towers on random weights as a share of the FMA probe");
  RatioOptions options;
  options.threads = 2;
  options.pairs = 5;
  options.milliseconds = 200;
  std::string isa, json, precision = "all";
  std::vector<std::string> models = {"B/32", "B/16", "L/14"};
  std::vector<std::int64_t> batches = {1, 4, 16};
  app.add_option("--isa", isa, "Instruction set; default: the best");
  app.add_option("--precision", precision)->check(CLI::IsMember({"fp32", "bf16", "int8", "all"}));
  app.add_option("--threads", options.threads, "Streams, one thread each");
  app.add_option("--pairs", options.pairs, "Pairs of probe and work");
  app.add_option("--model", models, "Of B/32, B/16, L/14")->delimiter(',');
  app.add_option("--batch", batches, "Images a call")->delimiter(',');
  app.add_flag_callback(
      "--thread-time", [&] { options.clock = ClockKind::kThread; },
      "Count only the time a thread held a core: for shared machines");
  app.add_option("--json", json, "Also write the figures to this file");
  CLI11_PARSE(app, argc, argv);
  const auto backend = backends::cpu::make_cpu_backend({isa});
  options.isa = backend->info().details;
  std::vector<Line> lines;
  for (const Size& size : sizes()) {
    if (std::find(models.begin(), models.end(), size.name) == models.end()) continue;
    for (const Precision p : {Precision::kFp32, Precision::kBf16, Precision::kInt8}) {
      if ((precision != "all" && precision != to_string(p)) || !backend->supports(p)) continue;
      options.precision = p;
      const Tower tower(*backend, size, p);
      for (const std::int64_t batch : batches) {
        std::vector<std::unique_ptr<compute::Stream>> streams;
        for (int t = 0; t < options.threads; ++t) streams.push_back(backend->make_stream());
        std::vector<std::uint8_t> pixels(static_cast<std::size_t>(batch * 224 * 224 * 3));
        for (std::size_t i = 0; i < pixels.size(); ++i)
          pixels[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
        std::vector<std::vector<float>> out(
            streams.size(), std::vector<float>(static_cast<std::size_t>(batch * size.projection)));
        const Ratio ratio =
            measure(options, static_cast<double>(batch) * size.flops(), [&](int thread) {
              const auto t = static_cast<std::size_t>(thread);
              tower.run(*streams[t], pixels, batch, out[t]);
            });
        lines.push_back(
            {size.name + " " + std::string(to_string(p)) + " batch " + std::to_string(batch),
             ratio});
      }
    }
  }
  const std::vector<std::string> notes = {options.isa + ", " + std::to_string(options.threads) +
                                          " stream(s); calls are batches"};
  print(notes, lines);
  if (!json.empty()) write_json(json, notes, lines);
  return 0;
}

}  // namespace
}  // namespace vecframe::benchmarks

int main(int argc, char** argv) { return vecframe::benchmarks::main_of(argc, argv); }
