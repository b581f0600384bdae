#include "backends/cuda/packed.h"

#include <cstddef>
#include <stdexcept>
#include <string>

#include "backends/cuda/kernels/product.h"

namespace vecframe::backends::cuda {
namespace {

std::int64_t rounded_up(std::int64_t count) {
  return (count + kDepthStep - 1) / kDepthStep * kDepthStep;
}

template <class T>
DeviceMemory upload_rows(const RuntimePointer& runtime, std::span<const float> values,
                         std::int64_t columns, std::int64_t pitch) {
  const std::int64_t rows = static_cast<std::int64_t>(values.size()) / columns;
  std::vector<T> rounded(static_cast<std::size_t>(rows * pitch), T{});
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; ++c)
      rounded[static_cast<std::size_t>(r * pitch + c)] =
          from_float<T>(values[static_cast<std::size_t>(r * columns + c)]);
  DeviceMemory memory(runtime, rounded.size() * sizeof(T));
  runtime->upload(memory.data(), rounded.data(), memory.bytes());
  return memory;
}

DeviceMemory upload_as(const RuntimePointer& runtime, std::span<const float> values,
                       std::int64_t columns, std::int64_t pitch, Storage storage) {
  switch (storage) {
    case Storage::kFloat:
      return upload_rows<float>(runtime, values, columns, pitch);
    case Storage::kBf16:
      return upload_rows<Bf16>(runtime, values, columns, pitch);
    case Storage::kF16:
      return upload_rows<F16>(runtime, values, columns, pitch);
  }
  return {};
}

// (out, channel, y, x) to (out, y, x, channel).
std::vector<float> channels_last(std::span<const float> weight, std::int64_t out,
                                 std::int64_t channels, std::int64_t places) {
  std::vector<float> moved(weight.size());
  for (std::int64_t o = 0; o < out; ++o)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t p = 0; p < places; ++p)
        moved[static_cast<std::size_t>((o * places + p) * channels + c)] =
            weight[static_cast<std::size_t>((o * channels + c) * places + p)];
  return moved;
}

std::vector<float> bias_or_zero(std::span<const float> bias, std::int64_t count) {
  if (bias.empty()) return std::vector<float>(static_cast<std::size_t>(count));
  return {bias.begin(), bias.end()};
}

}  // namespace

Storage storage_of(tensor::Precision precision) {
  switch (precision) {
    case tensor::Precision::kFp32:
      return Storage::kFloat;
    case tensor::Precision::kBf16:
      return Storage::kBf16;
    case tensor::Precision::kFp16:
      return Storage::kF16;
    case tensor::Precision::kInt8:
      break;
  }
  throw std::invalid_argument("cuda: no products of precision " +
                              std::string(to_string(precision)));
}

DeviceMemory upload_floats(const RuntimePointer& runtime, std::span<const float> values) {
  DeviceMemory memory(runtime, values.size_bytes());
  if (!values.empty()) runtime->upload(memory.data(), values.data(), values.size_bytes());
  return memory;
}

PackedMatrix::PackedMatrix(const RuntimePointer& runtime, std::span<const float> weight_,
                           std::span<const float> bias_, std::int64_t in_, std::int64_t out_,
                           Storage storage_)
    : in(in_),
      out(out_),
      pitch(rounded_up(in_)),
      storage(storage_),
      weight(upload_as(runtime, weight_, in, pitch, storage)) {
  const std::vector<float> values = bias_or_zero(bias_, out);
  bias = upload_floats(runtime, values);
  if (storage != Storage::kFloat) short_bias = upload_as(runtime, values, out, out, storage);
}

CudaPatchEmbedding::CudaPatchEmbedding(const RuntimePointer& runtime,
                                       const compute::PatchWeights& weights, Storage storage)
    : patch(weights.patch),
      matrix(runtime, channels_last(weights.weight, weights.out_features, 3, patch * patch),
             weights.bias, 3 * patch * patch, weights.out_features, storage) {}

CudaConvolution::CudaConvolution(const RuntimePointer& runtime,
                                 const compute::ConvolutionWeights& weights, Storage storage)
    : shape(weights) {
  const std::int64_t places = weights.kernel * weights.kernel;
  if (weights.groups == 1) {
    matrix = std::make_unique<PackedMatrix>(
        runtime, channels_last(weights.weight, weights.out_channels, weights.in_channels, places),
        weights.bias, places * weights.in_channels, weights.out_channels, storage);
  } else {
    weight = upload_floats(runtime, channels_last(weights.weight, 1, weights.out_channels, places));
    bias = upload_floats(runtime, bias_or_zero(weights.bias, weights.out_channels));
  }
  shape.weight = {};
  shape.bias = {};
}

}  // namespace vecframe::backends::cuda
