#include "compute/ratio.h"

#include <algorithm>
#include <barrier>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "compute/fma_probe.h"

namespace vecframe::benchmarks {
namespace {

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

}  // namespace

Ratio measure(const RatioOptions& options, double flops, const std::function<void(int)>& work) {
  const auto threads = static_cast<std::size_t>(options.threads);
  const auto pairs = static_cast<std::size_t>(options.pairs);
  std::vector<std::vector<double>> probe(threads), rate(threads);
  std::barrier barrier(options.threads);
  const auto body = [&](int thread) {
    const auto t = static_cast<std::size_t>(thread);
    work(thread);  // memory and caches
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      barrier.arrive_and_wait();
      const double before =
          fma_probe(options.isa, options.precision, options.milliseconds / 4, options.clock);
      barrier.arrive_and_wait();
      const double start = now_seconds(options.clock);
      int calls = 0;
      do {
        work(thread);
        ++calls;
      } while ((now_seconds(options.clock) - start) * 1000 < options.milliseconds);
      rate[t].push_back(calls / (now_seconds(options.clock) - start));
      barrier.arrive_and_wait();
      const double after =
          fma_probe(options.isa, options.precision, options.milliseconds / 4, options.clock);
      probe[t].push_back((before + after) / 2);
    }
  };
  std::vector<std::thread> pool;
  for (int t = 1; t < options.threads; ++t) pool.emplace_back(body, t);
  body(0);
  for (std::thread& thread : pool) thread.join();

  std::vector<double> probes(pairs), calls(pairs), shares(pairs);
  for (std::size_t pair = 0; pair < pairs; ++pair) {
    for (std::size_t t = 0; t < threads; ++t) {
      probes[pair] += probe[t][pair];
      calls[pair] += rate[t][pair];
    }
    shares[pair] = calls[pair] * flops / 1e9 / probes[pair];
  }
  Ratio ratio;
  ratio.calls_a_second = quantile(calls, 0.5);
  ratio.gflops = ratio.calls_a_second * flops / 1e9;
  ratio.probe = quantile(probes, 0.5);
  ratio.share = quantile(shares, 0.5);
  ratio.low = quantile(shares, 0.25);
  ratio.high = quantile(shares, 0.75);
  return ratio;
}

void print(const std::vector<std::string>& notes, const std::vector<Line>& lines) {
  for (const std::string& note : notes) std::printf("# %s\n", note.c_str());
  std::printf("%-44s %9s %9s %7s %15s %10s\n", "", "GFLOP/s", "probe", "share", "quartiles",
              "calls/s");
  for (const Line& line : lines) {
    const Ratio& r = line.ratio;
    std::printf("%-44s %9.1f %9.1f %6.1f%% %6.1f%%-%6.1f%% %10.2f\n", line.name.c_str(), r.gflops,
                r.probe, 100 * r.share, 100 * r.low, 100 * r.high, r.calls_a_second);
  }
  std::fflush(stdout);
}

void write_json(const std::string& path, const std::vector<std::string>& notes,
                const std::vector<Line>& lines) {
  nlohmann::json report = {{"notes", notes}, {"lines", nlohmann::json::array()}};
  for (const Line& line : lines) {
    report["lines"].push_back({{"name", line.name},
                               {"gflops", line.ratio.gflops},
                               {"probe_gflops", line.ratio.probe},
                               {"share", line.ratio.share},
                               {"share_quartiles", {line.ratio.low, line.ratio.high}},
                               {"calls_a_second", line.ratio.calls_a_second}});
  }
  std::ofstream(path) << report.dump(2) << '\n';
}

}  // namespace vecframe::benchmarks
