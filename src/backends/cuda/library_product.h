// Products by the vendor's library (cuBLASLt), row-major as everything here.
#pragma once

#include <cstddef>
#include <cstdint>

#include "backends/cuda/kernels/element.h"
#include "backends/cuda/runtime.h"

namespace vecframe::backends::cuda {

/// What the library does with the sums before it writes them. Its GELU is the tanh form.
enum class Epilogue : std::uint8_t { kBias, kBiasRelu, kBiasGelu };

/// y[rows, out] = epilogue(x[rows, depth] weight[out, depth]^T + bias), + residual if there is one
/// (with kBias alone). Pitches are in values. x and weight are `input`, y and residual `output`,
/// and so is the bias. Sums are float32; float32 inputs are not rounded (no TF32).
struct LibraryProduct {
  std::int64_t rows = 0, depth = 0, out = 0;
  const void* x = nullptr;
  std::int64_t x_pitch = 0;
  const void* weight = nullptr;
  std::int64_t weight_pitch = 0;
  const void* bias = nullptr;
  const void* residual = nullptr;  // may be y
  std::int64_t residual_pitch = 0;
  void* y = nullptr;
  std::int64_t y_pitch = 0;
  Storage input = Storage::kFloat, output = Storage::kFloat;
  Epilogue epilogue = Epilogue::kBias;

  /// Device memory that it needs to work in.
  static std::size_t workspace_bytes();

  /// False if the library has no kernel for it. `workspace` is workspace_bytes() of device memory
  /// that nothing else in other queues uses. The kernel is chosen by everything but the rows.
  bool enqueue(Runtime& runtime, QueueHandle queue, void* workspace) const;
};

}  // namespace vecframe::backends::cuda
