#include "backends/cuda/cuda_backend.h"

#include <stdexcept>
#include <string>

#include "compute/weights_check.h"

namespace vecframe::backends::cuda {
namespace {

using tensor::Precision;

class CudaBackend final : public compute::Backend {
 public:
  CudaBackend(RuntimePointer runtime, int ordinal, StreamOptions options)
      : runtime_(std::move(runtime)), options_(options) {
    const DeviceFacts& facts = runtime_->facts();
    info_.name = "cuda";
    info_.details = std::to_string(ordinal) + ": " + facts.name + ", " + facts.architecture;
    info_.host_memory = false;
    info_.efficient_batch = kEfficientBatch;
    info_.streams = kStreams;
  }

  const compute::BackendInfo& info() const override { return info_; }
  bool supports(Precision precision) const override { return precision != Precision::kInt8; }

  std::unique_ptr<compute::Vector> upload(std::span<const float> values) override {
    return std::make_unique<CudaVector>(runtime_, values);
  }
  std::unique_ptr<compute::Linear> pack(const compute::LinearWeights& weights,
                                        Precision precision) override {
    compute::check(weights);
    return std::make_unique<CudaLinear>(runtime_, weights, storage_of(precision));
  }
  std::unique_ptr<compute::PatchEmbedding> pack(const compute::PatchWeights& weights,
                                                Precision precision) override {
    compute::check(weights);
    return std::make_unique<CudaPatchEmbedding>(runtime_, weights, storage_of(precision));
  }
  std::unique_ptr<compute::Convolution> pack(const compute::ConvolutionWeights& weights,
                                             Precision precision) override {
    compute::check(weights);
    return std::make_unique<CudaConvolution>(runtime_, weights, storage_of(precision));
  }
  std::unique_ptr<compute::Stream> make_stream() override {
    return std::make_unique<CudaStream>(runtime_, options_);
  }

 private:
  // Even at 50 rows a picture these are waves of tiles of 128 rows over 132 multiprocessors.
  static constexpr std::int64_t kEfficientBatch = 256;
  // While one computes, the next one's pixels cross the bus.
  static constexpr int kStreams = 2;

  RuntimePointer runtime_;
  StreamOptions options_;
  compute::BackendInfo info_;
};

}  // namespace

std::shared_ptr<compute::Backend> make_cuda_backend(int ordinal, StreamOptions options) {
  return std::make_shared<CudaBackend>(std::make_shared<Runtime>(ordinal), ordinal, options);
}

}  // namespace vecframe::backends::cuda
