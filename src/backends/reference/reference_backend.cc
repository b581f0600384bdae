#include "backends/reference/reference_backend.h"

#include "backends/reference/packed.h"
#include "backends/reference/reference_stream.h"
#include "compute/weights_check.h"

namespace vecframe::backends::reference {
namespace {

using tensor::Precision;

class ReferenceBackend final : public compute::Backend {
 public:
  const compute::BackendInfo& info() const override { return info_; }
  bool supports(Precision precision) const override { return precision == Precision::kFp32; }

  std::unique_ptr<compute::Vector> upload(std::span<const float> values) override {
    return std::make_unique<ReferenceVector>(values);
  }
  std::unique_ptr<compute::Linear> pack(const compute::LinearWeights& weights,
                                        Precision precision) override {
    compute::check(weights);
    return std::make_unique<ReferenceLinear>(weights, precision);
  }
  std::unique_ptr<compute::PatchEmbedding> pack(const compute::PatchWeights& weights,
                                                Precision precision) override {
    compute::check(weights);
    return std::make_unique<ReferencePatchEmbedding>(weights, precision);
  }
  std::unique_ptr<compute::Convolution> pack(const compute::ConvolutionWeights& weights,
                                             Precision precision) override {
    compute::check(weights);
    return std::make_unique<ReferenceConvolution>(weights, precision);
  }
  std::unique_ptr<compute::Stream> make_stream() override {
    return std::make_unique<ReferenceStream>();
  }

 private:
  const compute::BackendInfo info_{"reference", "plain loops, sums in double"};
};

}  // namespace

std::shared_ptr<compute::Backend> make_reference_backend() {
  return std::make_shared<ReferenceBackend>();
}

}  // namespace vecframe::backends::reference
