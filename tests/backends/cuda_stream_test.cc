// What the CUDA backend adds to the interface's contract: values in 16 bits, graphs, a device that
// runs out of memory. On the emulated device.

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "backends/cuda/cuda_backend.h"
#include "backends/cuda/emulated/emulation.h"
#include "backends/cuda/emulated/host_queue.h"
#include "backends/reference/reference_backend.h"
#include "compute/out_of_memory.h"

namespace vecframe::backends::cuda {
namespace {

using compute::Activation;
using compute::Matrix;
using tensor::Precision;
using Values = std::vector<float>;

Values random_values(std::size_t count, unsigned seed) {
  std::minstd_rand random(seed);
  Values values(count);
  for (float& value : values) value = static_cast<float>(random() % 2001) / 1000.0f - 1;
  return values;
}

// A block of an encoder: norm, q k v, rotation, attention, output, norm, gated MLP.
class Block {
 public:
  static constexpr std::int64_t kWidth = 64, kHeads = 4, kHidden = 96;

  Block(compute::Backend& backend, Precision precision)
      : weight_(backend.upload(random_values(kWidth, 1))),
        bias_(backend.upload(random_values(kWidth, 2))),
        turns_(backend.upload(turns())),
        qkv_(pack(backend, kWidth, 3 * kWidth, 3, precision)),
        output_(pack(backend, kWidth, kWidth, 4, precision)),
        fc1_(pack(backend, kWidth, 2 * kHidden, 5, precision)),
        fc2_(pack(backend, kHidden, kWidth, 6, precision)) {}

  Values run(compute::Stream& stream, const Values& values, std::int64_t batch) const {
    const auto rows = static_cast<std::int64_t>(values.size()) / kWidth;
    const auto matrix = [&](std::int64_t columns) {
      return Matrix{stream.allocate(rows * columns), rows, columns, columns};
    };
    const Matrix x = matrix(kWidth), h = matrix(kWidth), qkv = matrix(3 * kWidth);
    const Matrix hidden = matrix(2 * kHidden);
    stream.upload(values, x);
    stream.normalize(compute::NormKind::kLayerNorm, *weight_, bias_.get(), 1e-5f, x, h);
    stream.linear(*qkv_, h, Activation::kNone, {}, qkv);
    stream.rotate_pairs(*turns_, batch, 2 * kHeads, 1, {qkv.data, rows, 2 * kWidth, qkv.stride});
    stream.attention(qkv, batch, kHeads, 0.25f, Precision::kFp32, h);
    stream.linear(*output_, h, Activation::kNone, x, x);
    stream.normalize(compute::NormKind::kRmsNorm, *weight_, nullptr, 1e-5f, x, h);
    stream.linear(*fc1_, h, Activation::kNone, {}, hidden);
    const Matrix gated{hidden.data, rows, kHidden, hidden.stride};
    stream.gate(Activation::kSilu, hidden, gated);
    stream.linear(*fc2_, gated, Activation::kNone, x, x);
    Values out(values.size());
    stream.download(x, out);
    stream.reset();
    return out;
  }

 private:
  static Values turns() {
    Values turns;
    for (int i = 0; i < 40; ++i) {
      for (int c = 0; c < 8; ++c) turns.push_back(std::cos(0.1f * static_cast<float>(i * c)));
      for (int c = 0; c < 8; ++c) turns.push_back(std::sin(0.1f * static_cast<float>(i * c)));
    }
    return turns;
  }
  static std::unique_ptr<compute::Linear> pack(compute::Backend& backend, std::int64_t in,
                                               std::int64_t out, unsigned seed,
                                               Precision precision) {
    Values weight = random_values(static_cast<std::size_t>(in * out), seed);
    for (float& value : weight) value *= 0.2f;
    return backend.pack(
        compute::LinearWeights{weight, random_values(static_cast<std::size_t>(out), 9), in, out},
        precision);
  }

  std::unique_ptr<compute::Vector> weight_, bias_, turns_;
  std::unique_ptr<compute::Linear> qkv_, output_, fc1_, fc2_;
};

Values values_of(std::int64_t rows) {
  return random_values(static_cast<std::size_t>(rows * Block::kWidth), 11);
}

class CudaStreamTest : public testing::TestWithParam<StreamOptions> {
 protected:
  void TearDown() override {
    reset_emulated_memory();
    break_emulated_devices(false);
  }

  std::shared_ptr<compute::Backend> backend_ = make_cuda_backend(0, GetParam());
  std::shared_ptr<compute::Backend> reference_ = reference::make_reference_backend();
};

TEST_P(CudaStreamTest, ABlockEqualsTheReferenceAtEveryPrecision) {
  for (const Precision precision : {Precision::kFp32, Precision::kBf16, Precision::kFp16}) {
    const Block block(*backend_, precision), expected(*reference_, precision);
    const auto stream = backend_->make_stream(), oracle = reference_->make_stream();
    const Values values = values_of(3 * 41);
    const Values got = block.run(*stream, values, 3), want = expected.run(*oracle, values, 3);
    double error = 0, size = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
      error += std::pow(double{got[i]} - want[i], 2);
      size += std::pow(double{want[i]}, 2);
    }
    // In 16 bits q, k, v and the weights of attention are rounded too, which the reference does
    // not.
    const double tolerance = precision == Precision::kFp32   ? 1e-6
                             : precision == Precision::kBf16 ? 6e-3
                                                             : 8e-4;
    EXPECT_LE(std::sqrt(error / size), tolerance);
  }
}

TEST_P(CudaStreamTest, AGraphGivesWhatItsCallsGave) {
  const Block block(*backend_, Precision::kBf16);
  const auto stream = backend_->make_stream();
  const Values one = values_of(41), other = random_values(one.size(), 12);
  block.run(*stream, one, 1);  // memory finds its place
  const std::size_t before = emulated_graph_starts();
  const Values first = block.run(*stream, one, 1);
  EXPECT_EQ(block.run(*stream, one, 1), first);
  const Values second = block.run(*stream, other, 1);
  EXPECT_EQ(block.run(*stream, one, 1), first);
  EXPECT_NE(second, first);
  EXPECT_EQ(block.run(*backend_->make_stream(), other, 1), second) << "on a stream without graphs";
  EXPECT_EQ(emulated_graph_starts() - before, GetParam().use_graphs ? 3u : 0u);
}

// Weights of another layer may lie where a graph knows those of one that is gone.
TEST_P(CudaStreamTest, AGraphDoesNotOutliveItsWeights) {
  const auto stream = backend_->make_stream();
  for (const float weight : {1.0f, 2.0f, 3.0f, 4.0f, 5.0f}) {
    const auto linear =
        backend_->pack(compute::LinearWeights{{&weight, 1}, {}, 1, 1}, Precision::kFp32);
    stream->reset();
    const Matrix x{stream->allocate(1), 1, 1, 1}, y{stream->allocate(1), 1, 1, 1};
    Values value{10};
    stream->upload(value, x);
    stream->linear(*linear, x, Activation::kNone, {}, y);
    stream->download(y, value);
    EXPECT_EQ(value.front(), 10 * weight);
  }
}

TEST_P(CudaStreamTest, AnImageDoesNotDependOnItsBatch) {
  const Block block(*backend_, Precision::kBf16);
  const auto stream = backend_->make_stream();
  const Values values = values_of(3 * 41), together = block.run(*stream, values, 3);
  const auto size = static_cast<std::ptrdiff_t>(values.size() / 3);
  for (std::ptrdiff_t i = 0; i < 3; ++i)
    EXPECT_EQ(
        block.run(*stream, Values(values.begin() + i * size, values.begin() + (i + 1) * size), 1),
        Values(together.begin() + i * size, together.begin() + (i + 1) * size));
}

TEST_P(CudaStreamTest, ANarrowValueIsWidenedForALaterReader) {
  const auto stream = backend_->make_stream();
  const Values weight = random_values(64 * 64, 3), scale(64, 1.0f);
  const auto linear = backend_->pack(compute::LinearWeights{weight, {}, 64, 64}, Precision::kBf16);
  const auto ones = backend_->upload(scale);
  const Matrix x{stream->allocate(5 * 64), 5, 64, 64}, h{stream->allocate(5 * 64), 5, 64, 64};
  const Matrix y{stream->allocate(5 * 64), 5, 64, 64};
  stream->upload(values_of(5), x);
  stream->normalize(compute::NormKind::kRmsNorm, *ones, nullptr, 1e-5f, x, h);
  stream->linear(*linear, h, Activation::kNone, {}, y);
  Values product(5 * 64), rounded(5 * 64), exact(5 * 64);
  stream->download(y, product);
  stream->download(h, rounded);
  stream->normalize(compute::NormKind::kRmsNorm, *ones, nullptr, 1e-5f, x, h);
  stream->download(h, exact);
  EXPECT_NE(rounded, exact);
  for (std::size_t i = 0; i < exact.size(); ++i)
    EXPECT_EQ(rounded[i], tensor::bf16_to_float(tensor::float_to_bf16(exact[i])));
}

TEST_P(CudaStreamTest, ADeviceThatIsFullSaysSoAndRecovers) {
  const auto stream = backend_->make_stream();
  stream->allocate(1000);
  set_emulated_memory(emulated_memory_used() + 100'000);
  EXPECT_THROW(stream->allocate(1'000'000), compute::OutOfMemory);
  EXPECT_THROW(backend_->upload(Values(1'000'000)), compute::OutOfMemory);
  stream->reset();
  EXPECT_NE(stream->allocate(1000), nullptr);
}

// 300 x 300 and its negative are beyond float16: products, activations and attention behind them
// take its largest value.
TEST_P(CudaStreamTest, Float16HasALargestValueAndNoInfinity) {
  constexpr std::int64_t kWidth = 16;
  Values diagonal(kWidth * kWidth), identity(kWidth * kWidth), thrice(3 * kWidth * kWidth);
  for (std::size_t i = 0; i < kWidth; ++i) {
    diagonal[i * kWidth + i] = i % 2 == 0 ? 300.0f : -300.0f;
    identity[i * kWidth + i] = 1;
    for (std::size_t third = 0; third < 3; ++third)
      thrice[(third * kWidth + i) * kWidth + i] = i % 2 == 0 ? 300.0f : -300.0f;
  }
  const auto pack = [&](const Values& weight, std::int64_t out) {
    return backend_->pack(compute::LinearWeights{weight, {}, kWidth, out}, Precision::kFp16);
  };
  const auto grow = pack(diagonal, kWidth), keep = pack(identity, kWidth);
  const auto qkv_of = pack(thrice, 3 * kWidth);
  const auto stream = backend_->make_stream();
  const auto matrix = [&](std::int64_t columns) {
    return Matrix{stream->allocate(columns), 1, columns, columns};
  };
  for (const Activation activation :
       {Activation::kNone, Activation::kRelu, Activation::kQuickGelu, Activation::kGeluTanh}) {
    stream->reset();
    const Matrix x = matrix(kWidth), h = matrix(kWidth), y = matrix(kWidth);
    stream->upload(Values(kWidth, 300.0f), x);
    stream->linear(*grow, x, activation, {}, h);
    stream->linear(*keep, h, Activation::kNone, {}, y);
    Values out(kWidth);
    stream->download(y, out);
    const float low = activation == Activation::kNone ? -65504.0f : 0.0f;
    for (std::size_t i = 0; i < kWidth; ++i) EXPECT_EQ(out[i], i % 2 == 0 ? 65504.0f : low) << i;
  }
  stream->reset();
  const Matrix x = matrix(kWidth), qkv = matrix(3 * kWidth), h = matrix(kWidth);
  stream->upload(Values(kWidth, 300.0f), x);
  stream->linear(*qkv_of, x, Activation::kNone, {}, qkv);
  stream->attention(qkv, 1, 2, 0.25f, Precision::kFp16, h);
  Values out(kWidth);
  stream->download(h, out);
  for (std::size_t i = 0; i < kWidth; ++i) EXPECT_EQ(out[i], i % 2 == 0 ? 65504.0f : -65504.0f);
}

TEST_P(CudaStreamTest, WhatCannotBeCapturedRunsCallByCall) {
  const Block block(*backend_, Precision::kBf16);
  const auto stream = backend_->make_stream();
  const Values values = values_of(41), first = block.run(*stream, values, 1);
  const std::size_t before = emulated_graph_starts();
  host_refuses_capture = true;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(block.run(*stream, values, 1), first);
  host_refuses_capture = false;
  EXPECT_EQ(emulated_graph_starts(), before);
}

// What was staged crosses in pieces through two parts of pinned memory, later than it is asked for.
TEST_P(CudaStreamTest, AHostBufferMayChangeAsSoonAsItWasTaken) {
  const auto stream = backend_->make_stream();
  constexpr std::int64_t kColumns = 1'700'000;  // more than three parts
  Values values = random_values(kColumns, 5);
  const Values wanted = values;
  const Matrix x{stream->allocate(kColumns), 1, kColumns, kColumns};
  stream->upload(values, x);
  std::fill(values.begin(), values.end(), 0.0f);
  stream->download(x, values);
  EXPECT_EQ(values, wanted);
}

TEST_P(CudaStreamTest, ABrokenDeviceIsAnErrorAndNotTheEnd) {
  const Block block(*backend_, Precision::kBf16);
  {
    const auto stream = backend_->make_stream();
    const Values values = values_of(41);
    block.run(*stream, values, 1);
    break_emulated_devices(true);
    EXPECT_THROW(block.run(*stream, values, 1), std::runtime_error);
    EXPECT_THROW(stream->reset(), std::runtime_error);
  }  // a stream goes with what it was given
  break_emulated_devices(false);
  EXPECT_NO_THROW(block.run(*backend_->make_stream(), values_of(41), 1));
}

TEST_P(CudaStreamTest, MemoryGoesBack) {
  const std::size_t before = emulated_memory_used();
  {
    const Block block(*backend_, Precision::kBf16);
    const auto stream = backend_->make_stream();
    block.run(*stream, values_of(41), 1);
    EXPECT_GT(emulated_memory_used(), before);
  }
  EXPECT_EQ(emulated_memory_used(), before);
}

TEST(CudaBackend, WeightsTakeTheBytesOfTheirPrecision) {
  const auto backend = make_cuda_backend(1);
  const Values weight(256 * 512);
  const compute::LinearWeights weights{weight, {}, 512, 256};
  EXPECT_EQ(backend->pack(weights, Precision::kFp32)->bytes(), (256u * 512 + 256) * 4);
  EXPECT_EQ(backend->pack(weights, Precision::kBf16)->bytes(), 256u * 512 * 2 + 256 * (4 + 2));
  EXPECT_EQ(backend->pack(weights, Precision::kFp16)->bytes(), 256u * 512 * 2 + 256 * (4 + 2));
  EXPECT_TRUE(backend->supports(Precision::kFp16));
  EXPECT_FALSE(backend->supports(Precision::kInt8));
  EXPECT_THROW(backend->pack(weights, Precision::kInt8), std::invalid_argument);
}

INSTANTIATE_TEST_SUITE_P(Options, CudaStreamTest,
                         testing::Values(StreamOptions{true, true}, StreamOptions{true, false},
                                         StreamOptions{false, true}),
                         [](const auto& parameter) {
                           return std::string(parameter.param.use_library ? "library" : "kernels") +
                                  (parameter.param.use_graphs ? "_graphs" : "");
                         });

}  // namespace
}  // namespace vecframe::backends::cuda
