// Time to resample a picture, and to prepare one for a model, on one core.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <vector>

#include "image/prepare.h"
#include "image/resize.h"

namespace vecframe::image {
namespace {

Image noise(Size size) {
  Image image(Mode::kRGB, size);
  std::uint32_t state = 1;
  for (std::uint8_t& byte : image.pixels()) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<std::uint8_t>(state >> 24);
  }
  return image;
}

/// Arguments: width, height, new width, new height, resampler.
void resize_bicubic(benchmark::State& state) {
  const auto side = [&state](std::size_t i) { return static_cast<std::uint32_t>(state.range(i)); };
  const Image image = noise({side(0), side(1)});
  const Size size{side(2), side(3)};
  const auto resampler = static_cast<Resampler>(state.range(4));
  for (auto _ : state)
    benchmark::DoNotOptimize(resize(image, size, Filter::kBicubic, resampler).row(0));
  state.counters["pixels_per_second"] =
      benchmark::Counter(static_cast<double>(image.width()) * image.height(),
                         benchmark::Counter::kIsIterationInvariantRate);
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  for (const auto resampler : {Resampler::kTorchvision, Resampler::kPillow13})
    for (const auto& [from, to] : {std::pair<Size, Size>{{500, 375}, {298, 224}},
                                   {{500, 375}, {224, 224}},
                                   {{4000, 3000}, {298, 224}},
                                   {{4000, 3000}, {224, 224}},
                                   {{1000, 4000}, {224, 224}},
                                   {{100, 75}, {298, 224}}})
      benchmark->Args({from.width, from.height, to.width, to.height, static_cast<int>(resampler)});
}

BENCHMARK(resize_bicubic)->Apply(sizes)->Unit(benchmark::kMicrosecond);

/// CLIP's recipe. Arguments: width, height.
void prepare_clip(benchmark::State& state) {
  PrepareSpec spec;
  spec.resize = ResizeRule::kShortestEdge;
  spec.shortest_edge = 224;
  spec.crop = CropRule::kTorchvision;
  spec.crop_height = spec.crop_width = 224;
  const Image image = noise(
      {static_cast<std::uint32_t>(state.range(0)), static_cast<std::uint32_t>(state.range(1))});
  std::vector<std::uint8_t> slot(spec.slot_bytes());
  for (auto _ : state) {
    benchmark::DoNotOptimize(prepare(spec, image, slot).ok());
    benchmark::ClobberMemory();
  }
}

BENCHMARK(prepare_clip)
    ->Args({500, 375})
    ->Args({640, 480})
    ->Args({4000, 3000})
    ->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace vecframe::image
