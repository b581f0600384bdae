// Image towers on a GPU, model only: images/s, and TFLOP/s as a share of what products of 8192 x
// 8192 x 8192 reach on the same device through the same library. Pixels start in host memory.

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "compute/backend_module.h"
#include "compute/tower.h"

namespace vecframe::benchmarks {
namespace {

using compute::Matrix;
using tensor::Precision;

constexpr double kSeconds = 2;  // of each figure
constexpr int kRounds = 5;      // the median is told

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// FLOP/s of a chain of square products whose inputs and outputs are of 16 bits.
double product_rate(compute::Backend& backend, Precision precision) {
  constexpr std::int64_t kSide = 8192;
  constexpr int kProducts = 10;
  // Numbers as they come: power, and with it the clock, depends on the bits that change.
  std::minstd_rand random(5);
  const auto some = [&](std::int64_t count, float scale) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = (static_cast<float>(random() % 2001) / 1000 - 1) * scale;
    return values;
  };
  const std::vector<float> weight = some(kSide * kSide, 0.02f);
  const auto row = backend.upload(some(kSide, 1));
  const auto linear = backend.pack(compute::LinearWeights{weight, {}, kSide, kSide}, precision);
  const auto stream = backend.make_stream();
  std::vector<float> out(kSide);
  const auto run = [&] {
    stream->reset();
    Matrix x{stream->allocate(kSide * kSide), kSide, kSide, kSide};
    Matrix y{stream->allocate(kSide * kSide), kSide, kSide, kSide};
    stream->broadcast_rows(*row, kSide, 1, 0, x);
    for (int i = 0; i < kProducts; ++i) {
      stream->linear(*linear, x, compute::Activation::kNone, {}, y);
      std::swap(x, y);
    }
    stream->download(x.row_range(0, 1), out);
  };
  run();
  run();
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) {
    const double start = seconds_now();
    run();
    rates.push_back(kProducts * 2.0 * kSide * kSide * kSide / (seconds_now() - start));
  }
  return median(rates);
}

// Images/s of two streams, a thread each, as lanes of an embedder run them.
double tower_rate(compute::Backend& backend, const Tower& tower, const TowerSize& size,
                  std::int64_t batch) {
  constexpr int kStreams = 2;
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(batch * 224 * 224 * 3));
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
  std::vector<std::unique_ptr<compute::Stream>> streams;
  std::vector<std::vector<float>> outs;
  for (int s = 0; s < kStreams; ++s) {
    streams.push_back(backend.make_stream());
    outs.emplace_back(static_cast<std::size_t>(batch * size.projection));
    for (int warm = 0; warm < 3; ++warm) tower.run(*streams.back(), pixels, batch, outs.back());
  }
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) {
    const double start = seconds_now();
    std::vector<std::int64_t> images(kStreams);
    std::vector<std::thread> threads;
    for (std::size_t s = 0; s < streams.size(); ++s) {
      threads.emplace_back([&, s] {
        while (seconds_now() - start < kSeconds / kRounds) {
          tower.run(*streams[s], pixels, batch, outs[s]);
          images[s] += batch;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    rates.push_back(static_cast<double>(images[0] + images[1]) / (seconds_now() - start));
  }
  return median(rates);
}

int main_of(int argc, char** argv) {
  std::string problem;
  const compute::BackendModule* module =
      compute::open_backend_module(VECFRAME_CUDA_MODULE, problem);
  const int devices = module == nullptr ? 0 : module->count_devices(problem);
  if (devices == 0) {
    fmt::print(stderr, "gpu: no device: {}\n", problem);
    return 1;
  }
  for (int i = 0; i < devices; ++i) fmt::print("device {}\n", module->make(i)->info().details);
  if (argc > 1 && std::string(argv[1]) == "--list") return 0;

  const auto backend = module->make(0);
  const double rate = product_rate(*backend, Precision::kBf16);
  fmt::print("bf16 products of 8192 x 8192 x 8192: {:.0f} TFLOP/s\n\n", rate / 1e12);
  fmt::print("| tower | batch | images/s | TFLOP/s | share of the products' rate |\n");
  fmt::print("| --- | ---: | ---: | ---: | ---: |\n");
  for (const TowerSize& size : tower_sizes()) {
    const Tower tower(*backend, size, Precision::kBf16);
    for (const std::int64_t batch : {1, 32, 256}) {
      const double images = tower_rate(*backend, tower, size, batch);
      fmt::print("| {} | {} | {:.0f} | {:.0f} | {:.1f} % |\n", size.name, batch, images,
                 images * size.flops() / 1e12, 100 * images * size.flops() / rate);
    }
  }
  return 0;
}

}  // namespace
}  // namespace vecframe::benchmarks

int main(int argc, char** argv) { return vecframe::benchmarks::main_of(argc, argv); }
