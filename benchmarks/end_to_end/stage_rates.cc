// The two stages of the main job by themselves, beside the machine's limit.
//
//   stage_rates FOLDER MODEL_DIRECTORY THREADS PRECISION
//
// prints one JSON object: images a second of decode + prepare alone (files already in memory), of
// the model alone (batches of 16, one lane a thread), and the fma probe taken before, between and
// after them. benchmarks/end_to_end/run.py calls it, in turn with the whole job.

#include <vecframe/error.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "compute/fma_probe.h"
#include "compute/registry.h"
#include "exec/prepare_row.h"
#include "image/prepare.h"
#include "image/probe.h"
#include "program.h"
#include "providers/local/local_provider.h"
#include "storage/listing.h"
#include "storage/local_file.h"

namespace vecframe::benchmarks {
namespace {

constexpr std::int64_t kBatch = 16;
constexpr std::int64_t kMaxFileBytes = std::int64_t{64} << 20;
constexpr double kModelSeconds = 1.5;

using Bytes = std::vector<std::byte>;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

void on_threads(int threads, const std::function<void()>& work) {
  std::vector<std::thread> team;
  for (int i = 0; i < threads; ++i) team.emplace_back(work);
  for (std::thread& thread : team) thread.join();
}

std::vector<Bytes> read_all(const std::string& folder) {
  std::vector<Bytes> files;
  const auto listing = storage::list_images({folder});
  while (auto path = listing->next()) {
    if (auto bytes = storage::read_file(*path, kMaxFileBytes); bytes.ok())
      files.push_back(std::move(bytes).value());
  }
  return files;
}

// Images a second that came through; broken files cost time but do not count.
double prepare_rate(const std::vector<Bytes>& files, const image::PrepareSpec& spec, int threads) {
  std::atomic<std::size_t> next{0};
  std::atomic<std::int64_t> good{0};
  const auto begun = Clock::now();
  on_threads(threads, [&] {
    std::vector<std::uint8_t> slot(spec.slot_bytes());
    for (std::size_t i = next++; i < files.size(); i = next++) {
      const auto info = image::probe(files[i]);
      if (!info.ok()) continue;
      if (exec::prepare_row(files[i], *info, spec, /*apply_orientation=*/true, slot).ok()) ++good;
    }
  });
  return static_cast<double>(good) / seconds_since(begun);
}

double model_rate(embed::ImageEmbedder& embedder, const image::PrepareSpec& spec,
                  std::int64_t dimension, int threads) {
  std::atomic<std::int64_t> done{0};
  const auto begun = Clock::now();
  on_threads(threads, [&] {
    const auto lane = embedder.make_lane();
    const auto batch = static_cast<std::size_t>(kBatch);
    image::Image noise(image::Mode::kRGB, {640, 480});
    for (std::size_t i = 0; i < noise.pixels().size(); ++i)
      noise.pixels()[i] = static_cast<std::uint8_t>(i * 2654435761U >> 24);
    std::vector<std::uint8_t> pixels(spec.slot_bytes() * batch);
    for (std::size_t i = 0; i < batch; ++i)
      if (!image::prepare(spec, noise, {pixels.data() + i * spec.slot_bytes(), spec.slot_bytes()})
               .ok())
        throw std::runtime_error("the model's preparation refuses an ordinary picture");
    std::vector<float> vectors(static_cast<std::size_t>(dimension) * batch);
    do {
      lane->embed(pixels.data(), kBatch, vectors.data());
      done += kBatch;
    } while (seconds_since(begun) < kModelSeconds);
  });
  return static_cast<double>(done) / seconds_since(begun);
}

// The probe on all threads at once, added up.
double fma_gflops(int threads) {
  const std::string isa = backends::cpu::available_isas().front();
  std::vector<double> rates(static_cast<std::size_t>(threads));
  std::vector<std::thread> team;
  for (double& rate : rates) {
    team.emplace_back([&] {
      rate = fma_probe(isa, tensor::Precision::kFp32, /*milliseconds=*/50, ClockKind::kWall);
    });
  }
  for (std::thread& thread : team) thread.join();
  return std::accumulate(rates.begin(), rates.end(), 0.0);
}

int run(int argc, char** argv) {
  if (argc != 5) {
    std::fprintf(stderr, "usage: stage_rates FOLDER MODEL_DIRECTORY THREADS PRECISION\n");
    return 2;
  }
  const std::string folder = argv[1], model = argv[2];
  const int threads = std::max(1, std::atoi(argv[3]));
  compute::Registry backends;
  backends.add({"cpu", 1, [] { return backends::cpu::make_cpu_backend(); }});
  const auto descriptor =
      providers::describe_directory(model, model, {.precision = argv[4]}, backends);
  const auto embedder = descriptor->instantiate();
  const image::PrepareSpec& spec = descriptor->prepare_spec();
  const embed::EmbedderFacts& facts = descriptor->facts();
  const std::vector<Bytes> files = read_all(folder);

  model_rate(*embedder, spec, facts.dimension, threads);  // pages, caches, clock
  std::vector<double> probes{fma_gflops(threads)};
  const double prepared = prepare_rate(files, spec, threads);
  probes.push_back(fma_gflops(threads));
  const double embedded = model_rate(*embedder, spec, facts.dimension, threads);
  probes.push_back(fma_gflops(threads));

  const nlohmann::ordered_json result{{"files", files.size()},
                                      {"threads", threads},
                                      {"device", facts.device},
                                      {"flops_per_image", facts.flops_per_row},
                                      {"probe_gflops", probes},
                                      {"prepare_images_per_second", prepared},
                                      {"model_images_per_second", embedded}};
  std::printf("%s\n", result.dump().c_str());
  return 0;
}

}  // namespace
}  // namespace vecframe::benchmarks

int main(int argc, char** argv) {
  return vecframe::benchmarks::run_program("stage_rates", vecframe::benchmarks::run, argc, argv);
}
