// Models on devices that are not the processor: replicas, shared streams, too little memory. The
// devices are emulated.

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <thread>
#include <vector>

#include "backends/cuda/cuda_backend.h"
#include "backends/cuda/emulated/emulation.h"
#include "compute/out_of_memory.h"
#include "models/checkpoint.h"
#include "models/image_model.h"
#include "models/text_model.h"
#include "providers/local/local_embedder.h"
#include "providers/local/local_text_embedder.h"
#include "source_directory.h"

namespace vecframe::providers {
namespace {

using backends::cuda::emulated_memory_used;
using backends::cuda::make_cuda_backend;
using backends::cuda::reset_emulated_memory;
using backends::cuda::set_emulated_memory;

constexpr std::int64_t kPictures = 16;

std::shared_ptr<const models::Checkpoint> checkpoint_of(const char* path) {
  return std::make_shared<const models::Checkpoint>(
      path, std::filesystem::path(VECFRAME_SOURCE_DIR) / "tests/golden" / path);
}

std::shared_ptr<embed::ImageEmbedder> embedder_of(const Backends& backends) {
  return make_local_embedder(models::describe_image_model(checkpoint_of("models/clip")), backends,
                             tensor::Precision::kFp32);
}

std::vector<std::uint8_t> pictures() {
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(kPictures * 32 * 32 * 3));
  for (std::size_t i = 0; i < pixels.size(); ++i)
    pixels[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
  return pixels;
}

std::vector<float> embed(embed::ImageEmbedder& embedder, std::int64_t count = kPictures) {
  std::vector<float> out(static_cast<std::size_t>(count * 24));
  embedder.make_lane()->embed(pictures().data(), count, out.data());
  return out;
}

class Replicas : public testing::Test {
 protected:
  void TearDown() override { reset_emulated_memory(); }
};

TEST_F(Replicas, EveryDeviceGivesTheSameVectors) {
  const auto one = embedder_of({make_cuda_backend(0)});
  const auto two = embedder_of({make_cuda_backend(0), make_cuda_backend(1)});
  const std::vector<float> want = embed(*one);
  EXPECT_EQ(embed(*two), want);
  EXPECT_EQ(embed(*two), want) << "the next lane's, on the other device";
}

TEST_F(Replicas, ManyLanesShareTheStreams) {
  const auto embedder = embedder_of({make_cuda_backend(0)});
  const std::vector<float> want = embed(*embedder);
  std::vector<std::vector<float>> got(6);
  std::vector<std::thread> threads;
  for (auto& vectors : got)
    threads.emplace_back([&embedder, &vectors] { vectors = embed(*embedder); });
  for (std::thread& thread : threads) thread.join();
  for (const auto& vectors : got) EXPECT_EQ(vectors, want);
}

TEST_F(Replicas, ItsWeightsAndActivationsAreNotTheHosts) {
  const auto embedder = embedder_of({make_cuda_backend(0)});
  EXPECT_GE(embedder->efficient_batch(), 64);
  EXPECT_LE(embedder->lane_bytes(64), 64 * (32 * 32 * 3 + 24 * 4) + 1024);
}

TEST_F(Replicas, TooLittleMemoryHalvesTheBatchAndGoesOn) {
  std::vector<float> want;
  std::size_t for_two = 0;
  {
    const auto embedder = embedder_of({make_cuda_backend(0)});
    embed(*embedder, 2);
    for_two = emulated_memory_used();  // its stream is kept
    want = embed(*embedder);
    EXPECT_GT(emulated_memory_used(), for_two);
  }
  const auto embedder = embedder_of({make_cuda_backend(0)});
  set_emulated_memory(for_two);
  EXPECT_EQ(embed(*embedder), want);
  EXPECT_EQ(embed(*embedder), want);
}

TEST_F(Replicas, ADeviceWithoutRoomForOneSaysSo) {
  const auto embedder = embedder_of({make_cuda_backend(0)});
  set_emulated_memory(emulated_memory_used() + 1000);
  EXPECT_THROW(embed(*embedder), compute::OutOfMemory);
  reset_emulated_memory();
  EXPECT_EQ(embed(*embedder), embed(*embedder_of({make_cuda_backend(0)})));
}

TEST_F(Replicas, TextsGoOnToo) {
  const models::TextModelDescription description =
      models::describe_text_model(checkpoint_of("texts/clip_text"));
  const std::vector<std::string_view> texts{"a cat", "two dogs in the snow", "", "a red car", "x"};
  const auto run = [&](embed::TextEmbedder& embedder, std::size_t count) {
    std::vector<float> out(count * static_cast<std::size_t>(description.dimension));
    embedder.make_lane()->embed(std::span(texts).first(count), out.data());
    return out;
  };
  const auto make = [&] {
    return make_local_text_embedder(description, {make_cuda_backend(0)}, tensor::Precision::kFp32);
  };
  std::vector<float> want;
  std::size_t for_two = 0;
  {
    const auto embedder = make();
    run(*embedder, 2);
    for_two = emulated_memory_used();
    want = run(*embedder, texts.size());
  }
  const auto embedder = make();
  set_emulated_memory(for_two);
  EXPECT_EQ(run(*embedder, texts.size()), want);
}

}  // namespace
}  // namespace vecframe::providers
