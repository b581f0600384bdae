// Whole image towers on random weights, one stream a thread, as a share of the FMA probe. FLOPs are
// 2 x multiply-adds of the patch, linear and attention products.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "compute/ratio.h"
#include "compute/tower.h"

namespace vecframe::benchmarks {
namespace {

using tensor::Precision;

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
  for (const TowerSize& size : tower_sizes()) {
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
