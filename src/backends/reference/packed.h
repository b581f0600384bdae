// What the reference backend keeps of the weights: a copy, in their own order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "compute/backend.h"
#include "tensor/dtype.h"

namespace vecframe::backends::reference {

/// Rows of `columns` values as the inputs or the weights of a matrix product see them.
void round_inputs(std::span<float> rows, std::int64_t columns, tensor::Precision precision);
std::vector<float> rounded_weights(std::span<const float> weight, std::int64_t columns,
                                   tensor::Precision precision);

/// An absent bias is zero.
inline std::vector<float> bias_or_zero(std::span<const float> bias, std::int64_t count) {
  if (bias.empty()) return std::vector<float>(static_cast<std::size_t>(count));
  return {bias.begin(), bias.end()};
}

class ReferenceVector final : public compute::Vector {
 public:
  explicit ReferenceVector(std::span<const float> from) : values(from.begin(), from.end()) {}
  std::size_t bytes() const override { return values.size() * sizeof(float); }

  const std::vector<float> values;
};

class ReferenceLinear final : public compute::Linear {
 public:
  ReferenceLinear(const compute::LinearWeights& from, tensor::Precision precision_)
      : weight(rounded_weights(from.weight, from.in_features, precision_)),
        bias(bias_or_zero(from.bias, from.out_features)),
        in(from.in_features),
        out(from.out_features),
        precision(precision_) {}
  std::size_t bytes() const override { return (weight.size() + bias.size()) * sizeof(float); }

  const std::vector<float> weight;  // (out, in)
  const std::vector<float> bias;    // (out)
  const std::int64_t in, out;
  const tensor::Precision precision;
};

class ReferencePatchEmbedding final : public compute::PatchEmbedding {
 public:
  ReferencePatchEmbedding(const compute::PatchWeights& from, tensor::Precision precision_)
      : weight(rounded_weights(from.weight, 3 * from.patch * from.patch, precision_)),
        bias(bias_or_zero(from.bias, from.out_features)),
        patch(from.patch),
        out(from.out_features),
        precision(precision_) {}
  std::size_t bytes() const override { return (weight.size() + bias.size()) * sizeof(float); }

  const std::vector<float> weight;  // (out, 3, patch, patch)
  const std::vector<float> bias;    // (out)
  const std::int64_t patch, out;
  const tensor::Precision precision;
};

/// A depthwise convolution is no matrix product and stays float32 at every precision.
class ReferenceConvolution final : public compute::Convolution {
 public:
  ReferenceConvolution(const compute::ConvolutionWeights& from, tensor::Precision asked)
      : precision(from.groups == 1 ? asked : tensor::Precision::kFp32),
        weight(rounded_weights(
            from.weight, from.in_channels / from.groups * from.kernel * from.kernel, precision)),
        bias(bias_or_zero(from.bias, from.out_channels)),
        shape(from) {
    shape.weight = {};
    shape.bias = {};
  }
  std::size_t bytes() const override { return (weight.size() + bias.size()) * sizeof(float); }

  const tensor::Precision precision;
  const std::vector<float> weight;    // (out, in / groups, kernel, kernel)
  const std::vector<float> bias;      // (out)
  compute::ConvolutionWeights shape;  // sizes only
};

}  // namespace vecframe::backends::reference
