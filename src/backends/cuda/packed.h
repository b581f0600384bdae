// What the backend keeps of the weights in device memory.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "backends/cuda/kernels/element.h"
#include "backends/cuda/runtime.h"
#include "compute/backend.h"

namespace vecframe::backends::cuda {

using RuntimePointer = std::shared_ptr<Runtime>;

/// What products of this precision take. Throws std::invalid_argument for int8.
Storage storage_of(tensor::Precision precision);

DeviceMemory upload_floats(const RuntimePointer& runtime, std::span<const float> values);

struct CudaVector final : compute::Vector {
  CudaVector(const RuntimePointer& runtime, std::span<const float> values)
      : memory(upload_floats(runtime, values)), count(static_cast<std::int64_t>(values.size())) {}
  std::size_t bytes() const override { return memory.bytes(); }
  const float* data() const { return memory.floats(); }

  DeviceMemory memory;
  std::int64_t count;
};

/// The right factor of a product, (out, pitch): `in` values of a storage, then zeros to a multiple
/// of kDepthStep; and its bias, in float32 and as the products of the library take it.
struct PackedMatrix {
  /// `weight` is (out, in); an absent bias is zero.
  PackedMatrix(const RuntimePointer& runtime, std::span<const float> weight,
               std::span<const float> bias, std::int64_t in, std::int64_t out, Storage storage);
  std::size_t bytes() const { return weight.bytes() + bias.bytes() + short_bias.bytes(); }

  std::int64_t in, out, pitch;
  Storage storage;
  DeviceMemory weight, bias;
  DeviceMemory short_bias;  // of `storage`; empty for float32
};

struct CudaLinear final : compute::Linear {
  CudaLinear(const RuntimePointer& runtime, const compute::LinearWeights& weights, Storage storage)
      : matrix(runtime, weights.weight, weights.bias, weights.in_features, weights.out_features,
               storage) {}
  std::size_t bytes() const override { return matrix.bytes(); }

  PackedMatrix matrix;
};

/// The depth counts rows, columns and channels of a patch.
struct CudaPatchEmbedding final : compute::PatchEmbedding {
  CudaPatchEmbedding(const RuntimePointer& runtime, const compute::PatchWeights& weights,
                     Storage storage);
  std::size_t bytes() const override { return matrix.bytes(); }

  std::int64_t patch;
  PackedMatrix matrix;
};

/// Of a dense convolution the depth counts rows and columns of the window and channels; a depthwise
/// one is float32, (place in the window, channel).
struct CudaConvolution final : compute::Convolution {
  CudaConvolution(const RuntimePointer& runtime, const compute::ConvolutionWeights& weights,
                  Storage storage);
  std::size_t bytes() const override {
    return matrix != nullptr ? matrix->bytes() : weight.bytes() + bias.bytes();
  }

  compute::ConvolutionWeights shape;     // sizes only
  std::unique_ptr<PackedMatrix> matrix;  // of a dense one
  DeviceMemory weight, bias;             // of a depthwise one
};

}  // namespace vecframe::backends::cuda
