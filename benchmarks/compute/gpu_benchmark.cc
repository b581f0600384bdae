// Image towers on a GPU, model only: images/s, and TFLOP/s as a share of what products of 8192 x
// 8192 x 8192 reach on the same device through the same library. Pixels start in host memory and
// vectors end there.
//
//   gpu_benchmark [--list] [--json FILE] [--limit SECONDS] [--small] [MODULE]
//
// --small is for a dry run: a tiny tower and small products, for the emulation in MODULE.

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "compute/backend_module.h"
#include "compute/out_of_memory.h"
#include "compute/tower.h"
#include "program.h"

namespace vecframe::benchmarks {
namespace {

using compute::Matrix;
using tensor::Precision;

constexpr int kRounds = 5;  // the median is told

struct Options {
  bool only_lists = false, is_small = false;
  std::string json, module = VECFRAME_CUDA_MODULE;
  double limit = 200;  // seconds; lines after that are not measured
  double round_seconds() const { return is_small ? 0 : 0.3; }
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// FLOP/s of a chain of square products whose inputs and outputs are of 16 bits.
double product_rate(compute::Backend& backend, Precision precision, std::int64_t side) {
  // Enough that what comes before the first and after the last does not count.
  const int products = precision == Precision::kFp32 ? 8 : 40;
  // Numbers as they come: power, and with it the clock, depends on the bits that change.
  std::minstd_rand random(5);
  const auto some = [&](std::int64_t count, float scale) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = (static_cast<float>(random() % 2001) / 1000 - 1) * scale;
    return values;
  };
  const std::vector<float> weight = some(side * side, 0.02f);
  const auto rows = backend.upload(some(side, 1));
  const auto linear = backend.pack(compute::LinearWeights{weight, {}, side, side}, precision);
  const auto stream = backend.make_stream();
  std::vector<float> out(static_cast<std::size_t>(side));
  const auto run = [&] {
    stream->reset();
    Matrix x{stream->allocate(side * side), side, side, side};
    Matrix y{stream->allocate(side * side), side, side, side};
    stream->broadcast_rows(*rows, side, 1, 0, x);
    for (int i = 0; i < products; ++i) {
      stream->linear(*linear, x, compute::Activation::kNone, {}, y);
      std::swap(x, y);
    }
    stream->download(x.row_range(0, 1), out);
  };
  for (int warm = 0; warm < 3; ++warm) run();
  std::vector<double> rates;
  for (int round = 0; round < kRounds; ++round) {
    const double start = seconds_now();
    run();
    const auto n = static_cast<double>(side);
    rates.push_back(products * 2.0 * n * n * n / (seconds_now() - start));
  }
  return median(rates);
}

// Images/s of two streams, a thread each, as lanes of an embedder run them.
double tower_rate(compute::Backend& backend, const Tower& tower, const TowerSize& size,
                  std::int64_t batch, double round_seconds) {
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
        do {
          tower.run(*streams[s], pixels, batch, outs[s]);
          images[s] += batch;
        } while (seconds_now() - start < round_seconds);
      });
    }
    for (std::thread& thread : threads) thread.join();
    rates.push_back(static_cast<double>(images[0] + images[1]) / (seconds_now() - start));
  }
  return median(rates);
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--list") {
      options.only_lists = true;
    } else if (word == "--small") {
      options.is_small = true;
    } else if (word == "--json" && i + 1 < argc) {
      options.json = argv[++i];
    } else if (word == "--limit" && i + 1 < argc) {
      options.limit = std::atof(argv[++i]);
    } else {
      options.module = word;
    }
  }
  return options;
}

// One tower at one precision, a line a batch.
void measure(compute::Backend& backend, const TowerSize& size, Precision precision,
             const std::vector<std::int64_t>& batches, double rate, double deadline,
             const Options& options, nlohmann::ordered_json& lines) {
  const Tower tower(backend, size, precision);
  for (const std::int64_t batch : batches) {
    const std::string begin =
        fmt::format("| {} | {} | {} |", size.name, to_string(precision), batch);
    if (seconds_now() > deadline) {
      fmt::print("{} not measured: the time is up | | |\n", begin);
      continue;
    }
    try {
      const double images = tower_rate(backend, tower, size, batch, options.round_seconds());
      const double flops = images * size.flops();
      fmt::print("{} {:.0f} | {:.1f} | {:.1f} % |\n", begin, images, flops / 1e12,
                 100 * flops / rate);
      lines.push_back({{"tower", size.name},
                       {"precision", to_string(precision)},
                       {"batch", batch},
                       {"images_per_second", images},
                       {"tflops", flops / 1e12},
                       {"share_of_products", flops / rate}});
    } catch (const compute::OutOfMemory& error) {
      fmt::print("{} {} | | |\n", begin, error.what());
    }
    std::fflush(stdout);
  }
}

int main_of(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const double begun = seconds_now();
  std::string problem;
  const compute::BackendModule* module = compute::open_backend_module(options.module, problem);
  const int devices = module == nullptr ? 0 : module->count_devices(problem);
  if (devices == 0) {
    fmt::print(stderr, "gpu: no device: {}\n", problem);
    return 1;
  }
  for (int i = 0; i < devices; ++i) fmt::print("device {}\n", module->make(i)->info().details);
  if (options.only_lists) return 0;

  const auto backend = module->make(0);
  nlohmann::ordered_json report{{"device", backend->info().details}};
  const std::int64_t side = options.is_small ? 64 : 8192;
  const std::vector<TowerSize> sizes =
      options.is_small ? std::vector<TowerSize>{{"tiny", 112, 32, 1, 2, 16}} : tower_sizes();
  for (const Precision precision : {Precision::kBf16, Precision::kFp16, Precision::kFp32}) {
    const bool is_main = precision == Precision::kBf16;
    const double rate = product_rate(*backend, precision, side);
    fmt::print("\n{} products of {} x {} x {}: {:.1f} TFLOP/s\n\n", to_string(precision), side,
               side, side, rate / 1e12);
    report["product_tflops"][std::string(to_string(precision))] = rate / 1e12;
    fmt::print(
        "| tower | precision | batch | images/s | TFLOP/s | share of the products' rate |\n");
    fmt::print("| --- | --- | ---: | ---: | ---: | ---: |\n");
    std::vector<std::int64_t> batches{256};
    if (is_main) batches = {256, 1024, 32, 1};
    if (options.is_small) batches = {2};
    report.emplace("towers", nlohmann::ordered_json::array());
    for (const TowerSize& size : sizes)
      measure(*backend, size, precision, batches, rate, begun + options.limit, options,
              report["towers"]);
  }
  if (!options.json.empty()) std::ofstream(options.json) << report.dump(2) << '\n';
  return 0;
}

}  // namespace
}  // namespace vecframe::benchmarks

int main(int argc, char** argv) {
  return vecframe::benchmarks::run_program("gpu_benchmark", vecframe::benchmarks::main_of, argc,
                                           argv);
}
