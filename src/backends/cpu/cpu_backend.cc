#include "backends/cpu/cpu_backend.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <vecframe/error.h>

#include <stdexcept>

#include "backends/cpu/cpu_stream.h"
#include "backends/cpu/packed.h"
#include "compute/weights_check.h"

namespace vecframe::backends::cpu {
namespace {

using tensor::Precision;

struct NamedIsa {
  std::string name;
  Isa isa;
};

std::vector<NamedIsa> isas() {
  std::vector<NamedIsa> found;
  for (const Kernels& kernels : supported_kernels()) {
    const bool avx512 = std::string_view(kernels.name) == "avx512";
    const Int8Kernels* int8 = int8_kernels();
    if (avx512 && bf16_kernels() != nullptr)
      found.push_back({"avx512-bf16", {&kernels, bf16_kernels(), int8}});
    if (avx512 && int8 != nullptr) found.push_back({"avx512-vnni", {&kernels, nullptr, int8}});
    found.push_back({kernels.name, {&kernels, nullptr, nullptr}});
  }
  return found;
}

class CpuBackend final : public compute::Backend {
 public:
  explicit CpuBackend(const NamedIsa& chosen) : isa_(chosen.isa), info_{"cpu", chosen.name} {}

  const compute::BackendInfo& info() const override { return info_; }
  bool supports(Precision precision) const override {
    if (precision == Precision::kFp16) return false;
    // Products of 16-bit integers are faster than those of float32 everywhere.
    return precision != Precision::kBf16 || isa_.bf16 != nullptr;
  }
  std::int64_t weight_bytes(Precision precision) const override {
    return cpu::weight_bytes(format_of(isa_, precision));
  }

  std::unique_ptr<compute::Vector> upload(std::span<const float> values) override {
    return std::make_unique<CpuVector>(values);
  }
  std::unique_ptr<compute::Linear> pack(const compute::LinearWeights& weights,
                                        Precision precision) override {
    compute::check(weights);
    return std::make_unique<CpuLinear>(isa_, weights, precision);
  }
  std::unique_ptr<compute::PatchEmbedding> pack(const compute::PatchWeights& weights,
                                                Precision precision) override {
    compute::check(weights);
    return std::make_unique<CpuPatchEmbedding>(isa_, weights, precision);
  }
  std::unique_ptr<compute::Convolution> pack(const compute::ConvolutionWeights& weights,
                                             Precision precision) override {
    compute::check(weights);
    if (weights.groups == 1) return std::make_unique<DenseConvolution>(isa_, weights, precision);
    if (weights.kernel > kMaxDepthwiseKernel) {
      throw std::invalid_argument(fmt::format("depthwise convolution: kernel {} is above {}",
                                              weights.kernel, kMaxDepthwiseKernel));
    }
    return std::make_unique<DepthwiseConvolution>(weights);
  }
  std::unique_ptr<compute::Stream> make_stream() override {
    return std::make_unique<CpuStream>(isa_);
  }

 private:
  const Isa isa_;
  const compute::BackendInfo info_;
};

}  // namespace

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const NamedIsa& isa : isas()) names.push_back(isa.name);
  return names;
}

std::shared_ptr<compute::Backend> make_cpu_backend(const CpuOptions& options) {
  const std::vector<NamedIsa> found = isas();
  for (const NamedIsa& isa : found) {
    if (options.isa.empty() || isa.name == options.isa) return std::make_shared<CpuBackend>(isa);
  }
  throw RequestError(fmt::format("isa: '{}' is not available here; use one of: {}", options.isa,
                                 fmt::join(available_isas(), ", ")));
}

}  // namespace vecframe::backends::cpu
