// Values as they lie in device memory: float32 or one of the 16-bit floats.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#define VECFRAME_KERNEL __device__ __forceinline__
#define VECFRAME_UNROLL _Pragma("unroll")
#else
#include <stdexcept>
#include <string>

#include "tensor/dtype.h"
#define VECFRAME_KERNEL inline
#define VECFRAME_UNROLL
#endif

namespace vecframe::backends::cuda {

enum class Storage : std::uint8_t { kFloat, kBf16, kF16 };

inline constexpr std::int64_t size_of(Storage storage) {
  return storage == Storage::kFloat ? 4 : 2;
}

struct Bf16 {
  std::uint16_t bits;
};
/// What is too large for it is stored as its largest, kLargestF16; so are the infinities that
/// products of the library leave, when they are read.
struct F16 {
  std::uint16_t bits;
};
inline constexpr float kLargestF16 = 65504;

/// Rows of values, `stride` values apart.
struct Cells {
  void* data = nullptr;
  std::int64_t stride = 0;
  Storage storage = Storage::kFloat;
};

#ifdef __CUDACC__
VECFRAME_KERNEL float to_float(float value) { return value; }
VECFRAME_KERNEL float to_float(Bf16 value) {
  return __uint_as_float(static_cast<unsigned>(value.bits) << 16);
}
VECFRAME_KERNEL float to_float(F16 value) { return __half2float(__ushort_as_half(value.bits)); }
VECFRAME_KERNEL float saturated(float value) {
  return value > kLargestF16 ? kLargestF16 : (value < -kLargestF16 ? -kLargestF16 : value);
}
template <class T>
VECFRAME_KERNEL T from_float(float value);
template <>
VECFRAME_KERNEL float from_float<float>(float value) {
  return value;
}
template <>
VECFRAME_KERNEL Bf16 from_float<Bf16>(float value) {
  return {__bfloat16_as_ushort(__float2bfloat16_rn(value))};
}
template <>
VECFRAME_KERNEL F16 from_float<F16>(float value) {
  return {__half_as_ushort(__float2half_rn(saturated(value)))};
}
#else
/// A GPU refuses a load of several values from elsewhere, and all later work with it.
inline void host_check_aligned(const void* at, std::size_t bytes) {
  if (reinterpret_cast<std::uintptr_t>(at) % bytes != 0)
    throw std::logic_error("a load or store of " + std::to_string(bytes) + " bytes not aligned");
}

inline float to_float(float value) { return value; }
inline float to_float(Bf16 value) { return tensor::bf16_to_float(value.bits); }
inline float to_float(F16 value) { return tensor::f16_to_float(value.bits); }
template <class T>
T from_float(float value);
template <>
inline float from_float<float>(float value) {
  return value;
}
template <>
inline Bf16 from_float<Bf16>(float value) {
  return {tensor::float_to_bf16(value)};
}
template <>
inline F16 from_float<F16>(float value) {
  return {tensor::float_to_f16_saturated(value)};
}
#endif

/// Two values as a register holds them, the first in the lower half.
template <class T>
VECFRAME_KERNEL std::uint32_t pack2(float first, float second) {
  return static_cast<std::uint32_t>(from_float<T>(first).bits) |
         static_cast<std::uint32_t>(from_float<T>(second).bits) << 16;
}

/// Two neighbours; `at` is aligned to four bytes.
template <class T>
VECFRAME_KERNEL std::uint32_t load2(const T* at) {
#ifdef __CUDACC__
  return *reinterpret_cast<const std::uint32_t*>(at);
#else
  host_check_aligned(at, sizeof(std::uint32_t));
  std::uint32_t pair;
  std::memcpy(&pair, at, sizeof pair);
  return pair;
#endif
}

template <class T>
VECFRAME_KERNEL void store_pair(T* to, std::uint32_t pair) {
#ifdef __CUDACC__
  *reinterpret_cast<std::uint32_t*>(to) = pair;
#else
  host_check_aligned(to, sizeof pair);
  std::memcpy(to, &pair, sizeof pair);
#endif
}

/// 16 bytes; both ends are aligned to as many.
template <class T>
VECFRAME_KERNEL void copy16(const T* from, T* to) {
#ifdef __CUDACC__
  *reinterpret_cast<uint4*>(to) = *reinterpret_cast<const uint4*>(from);
#else
  host_check_aligned(from, 16);
  host_check_aligned(to, 16);
  std::memcpy(to, from, 16);
#endif
}

/// Two neighbours as a register holds them, with infinities at the largest value.
VECFRAME_KERNEL std::uint32_t finite2(Bf16, std::uint32_t pair) { return pair; }
VECFRAME_KERNEL std::uint32_t finite2(F16, std::uint32_t pair) {
  constexpr std::uint32_t kLow = 0x00007FFFu, kHigh = 0x7FFF0000u;
  if ((pair & kLow) == 0x00007C00u) pair -= 0x00000001u;
  if ((pair & kHigh) == 0x7C000000u) pair -= 0x00010000u;
  return pair;
}
VECFRAME_KERNEL float finite(float value) { return value; }
template <class T>
VECFRAME_KERNEL T finite(T value) {
  return {static_cast<std::uint16_t>(finite2(T{}, value.bits))};
}

VECFRAME_KERNEL float load(Cells cells, std::int64_t row, std::int64_t column) {
  const std::int64_t at = row * cells.stride + column;
  if (cells.storage == Storage::kFloat) return static_cast<const float*>(cells.data)[at];
  if (cells.storage == Storage::kBf16) return to_float(static_cast<const Bf16*>(cells.data)[at]);
  return to_float(finite(static_cast<const F16*>(cells.data)[at]));
}

/// Whether rows can be read and written eight values at a time.
VECFRAME_KERNEL bool is_wide(Cells cells) {
  return reinterpret_cast<std::uintptr_t>(cells.data) % 16 == 0 && cells.stride % 8 == 0;
}

inline constexpr int kWide = 8;

struct Eight {
  float of[kWide];
};

// Of 16 bytes, which a GPU reads and writes at once.
template <class T>
struct alignas(16) Lot {
  static constexpr int kCount = 16 / sizeof(T);
  T of[kCount];
};

template <class T>
VECFRAME_KERNEL Eight load_eight(const T* from) {
  Eight eight;
  VECFRAME_UNROLL
  for (int first = 0; first < kWide; first += Lot<T>::kCount) {
    Lot<T> lot{};
    copy16(from + first, lot.of);
    VECFRAME_UNROLL
    for (int i = 0; i < Lot<T>::kCount; ++i) eight.of[first + i] = to_float(finite(lot.of[i]));
  }
  return eight;
}

template <class T>
VECFRAME_KERNEL void store_eight(T* to, const Eight& eight) {
  VECFRAME_UNROLL
  for (int first = 0; first < kWide; first += Lot<T>::kCount) {
    Lot<T> lot{};
    VECFRAME_UNROLL
    for (int i = 0; i < Lot<T>::kCount; ++i) lot.of[i] = from_float<T>(eight.of[first + i]);
    copy16(lot.of, to + first);
  }
}

/// Eight neighbours of rows that are wide; `column` is a multiple of eight.
VECFRAME_KERNEL Eight load_eight(Cells cells, std::int64_t row, std::int64_t column) {
  const std::int64_t at = row * cells.stride + column;
  if (cells.storage == Storage::kFloat)
    return load_eight(static_cast<const float*>(cells.data) + at);
  if (cells.storage == Storage::kBf16) return load_eight(static_cast<const Bf16*>(cells.data) + at);
  return load_eight(static_cast<const F16*>(cells.data) + at);
}

VECFRAME_KERNEL void store_eight(Cells cells, std::int64_t row, std::int64_t column,
                                 const Eight& eight) {
  const std::int64_t at = row * cells.stride + column;
  if (cells.storage == Storage::kFloat) {
    store_eight(static_cast<float*>(cells.data) + at, eight);
  } else if (cells.storage == Storage::kBf16) {
    store_eight(static_cast<Bf16*>(cells.data) + at, eight);
  } else {
    store_eight(static_cast<F16*>(cells.data) + at, eight);
  }
}

VECFRAME_KERNEL void store(Cells cells, std::int64_t row, std::int64_t column, float value) {
  const std::int64_t at = row * cells.stride + column;
  if (cells.storage == Storage::kFloat) {
    static_cast<float*>(cells.data)[at] = value;
  } else if (cells.storage == Storage::kBf16) {
    static_cast<Bf16*>(cells.data)[at] = from_float<Bf16>(value);
  } else {
    static_cast<F16*>(cells.data)[at] = from_float<F16>(value);
  }
}

/// Two neighbours; `column` is even.
VECFRAME_KERNEL void store_two(Cells cells, std::int64_t row, std::int64_t column, float first,
                               float second) {
  const std::int64_t at = row * cells.stride + column;
  const bool together =
      reinterpret_cast<std::uintptr_t>(cells.data) % 4 == 0 && cells.stride % 2 == 0;
  if (cells.storage == Storage::kFloat || !together) {
    store(cells, row, column, first);
    store(cells, row, column + 1, second);
  } else if (cells.storage == Storage::kBf16) {
    store_pair(static_cast<Bf16*>(cells.data) + at, pack2<Bf16>(first, second));
  } else {
    store_pair(static_cast<F16*>(cells.data) + at, pack2<F16>(first, second));
  }
}

}  // namespace vecframe::backends::cuda
