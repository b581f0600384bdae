// A model of a directory, ready to be measured in turns with others.
//
//   model_server MODEL_DIRECTORY THREADS PRECISION
//
// reads commands, a line each, and answers each with one JSON object on a line:
//   rate BATCH SECONDS   images a second, and a second of processor time, batches of BATCH on every
//                        one of THREADS lanes
//   latency ROUNDS       seconds of single pictures, one after the other, on one lane with THREADS
//   threads probe MILLISECONDS   GFLOP/s of the float32 fma probe, on THREADS threads together, and
//   of one
//                        by its processor time

#include <vecframe/error.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <functional>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "compute/fma_probe.h"
#include "compute/registry.h"
#include "program.h"
#include "providers/local/local_provider.h"

namespace vecframe::benchmarks {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

// Of all threads together.
double process_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class Server {
 public:
  Server(const std::string& model, int threads, const std::string& precision) : threads_(threads) {
    compute::Registry backends;
    backends.add({"cpu", 1, [] { return backends::cpu::make_cpu_backend(); }});
    const auto descriptor =
        providers::describe_directory(model, model, {.precision = precision}, backends);
    embedder_ = descriptor->instantiate();
    slot_bytes_ = descriptor->prepare_spec().slot_bytes();
    facts_ = descriptor->facts();
    for (int t = 0; t < threads; ++t) lanes_.push_back(embedder_->make_lane());
  }

  Json facts() const {
    return {{"device", facts_.device},
            {"precision", to_string(facts_.precision)},
            {"flops_per_image", facts_.flops_per_row}};
  }

  Json rate(std::int64_t batch, double seconds) {
    std::atomic<std::int64_t> done{0};
    const auto begun = Clock::now();
    const double cpu = process_seconds();
    on_threads([&](embed::EmbedLane& lane) {
      const std::vector<std::uint8_t> pixels = noise(batch);
      std::vector<float> vectors(static_cast<std::size_t>(batch * facts_.dimension));
      do {
        lane.embed(pixels.data(), batch, vectors.data());
        done += batch;
      } while (seconds_since(begun) < seconds);
    });
    return {{"images_per_second", static_cast<double>(done) / seconds_since(begun)},
            {"images_per_cpu_second", static_cast<double>(done) / (process_seconds() - cpu)}};
  }

  Json latency(int rounds) {
    lanes_.front()->share_cores(CoreShare::alone(threads_));
    const std::vector<std::uint8_t> pixels = noise(1);
    std::vector<float> vector(static_cast<std::size_t>(facts_.dimension));
    std::vector<double> seconds;
    for (int i = 0; i < rounds; ++i) {
      const auto begun = Clock::now();
      lanes_.front()->embed(pixels.data(), 1, vector.data());
      seconds.push_back(seconds_since(begun));
    }
    lanes_.front()->share_cores(nullptr);
    return {{"seconds", seconds}};
  }

  Json probe(double milliseconds) const {
    const std::string isa = backends::cpu::available_isas().front();
    std::vector<double> rates(static_cast<std::size_t>(threads_));
    std::vector<std::thread> team;
    for (double& rate : rates)
      team.emplace_back(
          [&] { rate = fma_probe(isa, tensor::Precision::kFp32, milliseconds, ClockKind::kWall); });
    for (std::thread& thread : team) thread.join();
    return {{"gflops", std::accumulate(rates.begin(), rates.end(), 0.0)},
            {"gflops_of_cpu_second",
             fma_probe(isa, tensor::Precision::kFp32, milliseconds, ClockKind::kThread)}};
  }

 private:
  std::vector<std::uint8_t> noise(std::int64_t batch) const {
    std::vector<std::uint8_t> pixels(slot_bytes_ * static_cast<std::size_t>(batch));
    for (std::size_t i = 0; i < pixels.size(); ++i)
      pixels[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
    return pixels;
  }

  void on_threads(const std::function<void(embed::EmbedLane&)>& work) {
    std::vector<std::thread> team;
    for (const auto& lane : lanes_) team.emplace_back([&] { work(*lane); });
    for (std::thread& thread : team) thread.join();
  }

  int threads_;
  std::shared_ptr<embed::ImageEmbedder> embedder_;
  std::size_t slot_bytes_ = 0;
  embed::EmbedderFacts facts_;
  std::vector<std::unique_ptr<embed::EmbedLane>> lanes_;
};

int run(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: model_server MODEL_DIRECTORY THREADS PRECISION\n");
    return 2;
  }
  Server server(argv[1], std::max(1, std::stoi(argv[2])), argv[3]);
  std::cout << server.facts() << std::endl;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    double first = 0, second = 0;
    words >> first >> second;
    if (command == "rate") {
      std::cout << server.rate(static_cast<std::int64_t>(first), second) << std::endl;
    } else if (command == "latency") {
      std::cout << server.latency(static_cast<int>(first)) << std::endl;
    } else if (command == "probe") {
      std::cout << server.probe(first) << std::endl;
    } else {
      std::fprintf(stderr, "model_server: '%s' is no command\n", line.c_str());
      return 2;
    }
  }
  return 0;
}

}  // namespace
}  // namespace vecframe::benchmarks

int main(int argc, char** argv) {
  return vecframe::benchmarks::run_program("model_server", vecframe::benchmarks::run, argc, argv);
}
