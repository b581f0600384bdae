// From JPEG files to vectors on a GPU, by the executor of the product: how fast, and how much of
// the time the GPU is busy.
//
//   gpu_pipeline MODEL_DIRECTORY PRECISION DEVICE PICTURES FOLDER
//
// writes PICTURES JPEG files into FOLDER unless they are there, runs them through twice, and prints
// one JSON object of the second time. The GPU's share of the time is told in two ways: by the rate
// that the model alone reaches, and by what the driver counts (time with a kernel running), where
// there is one.

#include <dlfcn.h>
#include <vecframe/error.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "backends/cpu/cpu_backend.h"
#include "compute/registry.h"
#include "exec/pipeline.h"
#include "image/encode.h"
#include "program.h"
#include "providers/local/local_provider.h"
#include "storage/listing.h"

namespace vecframe::benchmarks {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kDifferent = 256;  // pictures; the rest are these again
constexpr double kModelSeconds = 3;

double seconds_since(Clock::time_point begun) {
  return std::chrono::duration<double>(Clock::now() - begun).count();
}

// A smooth picture with grain, whose file is about as large as a photograph's.
image::Image picture(unsigned seed) {
  std::minstd_rand random(seed + 1);
  image::Image image(image::Mode::kRGB, {500, 375});
  double phase[9];
  for (double& one : phase) one = static_cast<double>(random() % 1000) / 100;
  std::size_t at = 0;
  for (int y = 0; y < 375; ++y) {
    for (int x = 0; x < 500; ++x) {
      for (int c = 0; c < 3; ++c) {
        const double wave = std::sin(x * 0.013 + phase[c]) + std::sin(y * 0.021 + phase[3 + c]) +
                            std::sin((x + y) * 0.11 + phase[6 + c]) * 0.4;
        const double value = 128 + 40 * wave + static_cast<double>(random() % 41) - 20;
        image.pixels()[at++] = static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0));
      }
    }
  }
  return image;
}

void write_pictures(const fs::path& folder, int count) {
  fs::create_directories(folder);
  image::EncodeOptions options{.format = image::Format::kJpeg, .quality = 85};
  for (int first = 0; first < std::min(kDifferent, count); ++first) {
    std::vector<std::byte> bytes;
    for (int i = first; i < count; i += kDifferent) {
      const fs::path path = folder / (std::to_string(i) + ".jpg");
      if (fs::exists(path)) continue;
      if (bytes.empty())
        bytes = image::encode(picture(static_cast<unsigned>(first)), options).value();
      std::ofstream(path, std::ios::binary)
          .write(reinterpret_cast<const char*>(bytes.data()),
                 static_cast<std::streamsize>(bytes.size()));
    }
  }
}

// The share of time that the driver saw a kernel run, in percent; below 0 without a driver.
class BusyShare {
 public:
  BusyShare() {
    void* library = dlopen("libnvidia-ml.so.1", RTLD_LAZY);
    if (library == nullptr) return;
    const auto init = reinterpret_cast<int (*)()>(dlsym(library, "nvmlInit_v2"));
    const auto handle = reinterpret_cast<int (*)(unsigned, void**)>(
        dlsym(library, "nvmlDeviceGetHandleByIndex_v2"));
    const auto rates = reinterpret_cast<int (*)(void*, unsigned*)>(
        dlsym(library, "nvmlDeviceGetUtilizationRates"));
    void* device = nullptr;
    if (init == nullptr || handle == nullptr || rates == nullptr || init() != 0 ||
        handle(0, &device) != 0)
      return;
    thread_ = std::thread([this, rates, device] {
      while (!done_) {
        unsigned of_gpu_and_memory[2] = {};
        if (rates(device, of_gpu_and_memory) == 0) {
          sum_ += of_gpu_and_memory[0];
          ++samples_;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
      }
    });
  }
  ~BusyShare() { stop(); }
  BusyShare(const BusyShare&) = delete;
  BusyShare& operator=(const BusyShare&) = delete;

  double stop() {
    done_ = true;
    if (thread_.joinable()) thread_.join();
    return samples_ == 0 ? -1 : sum_ / samples_;
  }

 private:
  std::thread thread_;
  std::atomic<bool> done_{false};
  double sum_ = 0;  // the thread's until it is joined, and so are the samples
  int samples_ = 0;
};

struct NoSink final : exec::RowSink {
  void write(const exec::Row&) override {}
  std::int64_t max_buffered_bytes() const override { return 0; }
};

exec::Statistics run_folder(const exec::EmbedStage& stage, const fs::path& folder, int count) {
  exec::PipelineOptions options;
  options.memory_limit = std::int64_t{8} << 30;
  options.limit = count;
  options.deduplicate = false;
  const auto listing = storage::list_images({folder.string()});
  NoSink sink;
  return exec::run(*listing, stage, sink, options, CancellationToken());
}

// Images/s of the model alone, two lanes at a time.
double model_rate(const exec::EmbedStage& stage) {
  const std::int64_t batch = stage.embedder->efficient_batch();
  const std::vector<std::uint8_t> pixels(stage.prepare.slot_bytes() *
                                         static_cast<std::size_t>(batch));
  std::atomic<std::int64_t> done{0};
  const auto body = [&](double seconds) {
    const auto lane = stage.embedder->make_lane();
    std::vector<float> out(static_cast<std::size_t>(batch * stage.dimension));
    const auto begun = Clock::now();
    do {
      lane->embed(pixels.data(), batch, out.data());
      done += batch;
    } while (seconds_since(begun) < seconds);
  };
  body(0);
  body(0);
  done = 0;
  const auto begun = Clock::now();
  std::thread other(body, kModelSeconds);
  body(kModelSeconds);
  other.join();
  return static_cast<double>(done) / seconds_since(begun);
}

int run(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: gpu_pipeline MODEL_DIRECTORY PRECISION DEVICE PICTURES FOLDER\n");
    return 2;
  }
  const std::string model = argv[1], device = argv[3];
  const int count = std::max(1, std::atoi(argv[4]));
  const fs::path folder = argv[5];
  write_pictures(folder, count);
  compute::Registry backends;
  backends.add({"cpu", 1, [] { return backends::cpu::make_cpu_backend(); }});
  backends.add_module({"cuda", VECFRAME_CUDA_MODULE, [] { return true; }});
  const auto descriptor = providers::describe_directory(
      model, model, {.precision = argv[2], .device = device}, backends);
  const exec::EmbedStage stage{descriptor->instantiate(), descriptor->prepare_spec(),
                               descriptor->facts().dimension};
  run_folder(stage, folder, count);
  BusyShare busy;
  const exec::Statistics statistics = run_folder(stage, folder, count);
  const double kernels = busy.stop();
  const double alone = model_rate(stage);
  const double rate = static_cast<double>(statistics.rows - statistics.failed) / statistics.seconds;
  const nlohmann::ordered_json result{
      {"model", fs::path(model).filename().string()},
      {"precision", argv[2]},
      {"device", descriptor->facts().device},
      {"threads", statistics.threads},
      {"batch_size", statistics.batch_size},
      {"rows", statistics.rows},
      {"failed", statistics.failed},
      {"seconds", statistics.seconds},
      {"images_per_second", rate},
      {"model_images_per_second", alone},
      {"gpu_share_by_model_rate", rate / alone},
      {"gpu_share_by_driver", kernels < 0 ? kernels : kernels / 100},
      {"read_seconds", statistics.read_seconds},
      {"prepare_seconds", statistics.prepare_seconds},
      {"embed_seconds", statistics.embed_seconds}};
  std::printf("%s\n", result.dump().c_str());
  return statistics.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace vecframe::benchmarks

int main(int argc, char** argv) {
  return vecframe::benchmarks::run_program("gpu_pipeline", vecframe::benchmarks::run, argc, argv);
}
