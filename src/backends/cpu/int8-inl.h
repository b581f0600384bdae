// Integer products for machines without an instruction for 8 bits: pairs of 16 bits, whose sums are
// as exact and, per value, twice as fast as float32. And the ways from float32 to integers and
// back.
#if defined(VECFRAME_INT8_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VECFRAME_INT8_INL_H
#undef VECFRAME_INT8_INL_H
#else
#define VECFRAME_INT8_INL_H
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <cstring>

#include "backends/cpu/elementwise-inl.h"
#include "backends/cpu/kernels.h"
#include "backends/cpu/multiply-inl.h"
#include "tensor/int8.h"

HWY_BEFORE_NAMESPACE();
namespace vecframe::backends::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// sum + x[0] * w[0] + x[1] * w[1] of the pairs of int16 in each lane.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V add_pairs([[maybe_unused]] D d, V x, V w, V sum) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  const hn::Repartition<std::int16_t, D> pairs;
  V unused = hn::Zero(d);
  return hn::ReorderWidenMulAccumulate(d, hn::BitCast(pairs, x), hn::BitCast(pairs, w), sum,
                                       unused);
#else
  const V low =
      hn::Mul(hn::ShiftRight<16>(hn::ShiftLeft<16>(x)), hn::ShiftRight<16>(hn::ShiftLeft<16>(w)));
  return hn::Add(sum, hn::Add(low, hn::Mul(hn::ShiftRight<16>(x), hn::ShiftRight<16>(w))));
#endif
}

template <int kRows>
void multiply_int16_tile(const std::uint32_t* x, std::int64_t x_stride,
                         const std::uint32_t* HWY_RESTRICT w, std::int64_t pairs, bool accumulate,
                         std::int32_t* c, std::int64_t c_stride) {
  const hn::ScalableTag<std::int32_t> d;
  const std::int64_t n = panel_columns() / 2;
  hn::Vec<decltype(d)> sums[kRows][2];
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    sums[r][0] = accumulate ? hn::LoadU(d, c + r * c_stride) : hn::Zero(d);
    sums[r][1] = accumulate ? hn::LoadU(d, c + r * c_stride + n) : hn::Zero(d);
  }
  constexpr int kBases = (kRows + 2) / 3;  // as in multiply_tile
  const std::uint32_t* base[kBases];
#pragma GCC unroll 4
  for (int b = 0; b < kBases; ++b) base[b] = x + 3 * b * x_stride;
  for (std::int64_t i = 0; i < pairs; ++i, w += 2 * n) {
    const auto w0 = hn::Load(d, reinterpret_cast<const std::int32_t*>(w));
    const auto w1 = hn::Load(d, reinterpret_cast<const std::int32_t*>(w) + n);
    hwy::Prefetch(w + 2 * n * 16);
    if (n == 16) hwy::Prefetch(w + 2 * n * 16 + 16);
#pragma GCC unroll 16
    for (int r = 0; r < kRows; ++r) {
      const auto v = hn::Set(d, static_cast<std::int32_t>(base[r / 3][r % 3 * x_stride]));
      sums[r][0] = add_pairs(d, v, w0, sums[r][0]);
      sums[r][1] = add_pairs(d, v, w1, sums[r][1]);
    }
#pragma GCC unroll 4
    for (int b = 0; b < kBases; ++b) ++base[b];
  }
#pragma GCC unroll 16
  for (int r = 0; r < kRows; ++r) {
    hn::StoreU(sums[r][0], d, c + r * c_stride);
    hn::StoreU(sums[r][1], d, c + r * c_stride + n);
  }
}

inline void multiply_int16(const std::uint32_t* x, std::int64_t x_stride, const std::uint32_t* w,
                           std::int64_t pairs, std::int64_t rows, bool accumulate, std::int32_t* c,
                           std::int64_t c_stride) {
  for_tiles(rows, [&](auto height) HWY_ATTR {
    multiply_int16_tile<decltype(height)::value>(x, x_stride, w, pairs, accumulate, c, c_stride);
    x += height * x_stride;
    c += height * c_stride;
  });
}

inline void value_range(const float* x, std::int64_t count, float* low, float* high) {
  const hn::ScalableTag<float> d;
  auto least = hn::Zero(d), largest = hn::Zero(d), zeros = hn::Zero(d);
  const auto see = [&](hn::Vec<decltype(d)> v) HWY_ATTR {
    least = hn::Min(least, v);
    largest = hn::Max(largest, v);
    zeros = hn::MulAdd(v, hn::Zero(d), zeros);  // NaN times zero, and infinity times zero, is NaN
  };
  for_vectors(
      d, count, [&](std::int64_t i) HWY_ATTR { see(hn::LoadU(d, x + i)); },
      [&](std::int64_t i, std::int64_t rest) HWY_ATTR { see(load_part(d, x + i, rest)); });
  const float nothing = hn::GetLane(hn::SumOfLanes(d, zeros));
  *low = hn::GetLane(hn::MinOfLanes(d, least)) + nothing;
  *high = hn::GetLane(hn::MaxOfLanes(d, largest)) + nothing;
}

template <class T>
void narrow_to(const float* x, std::int64_t count, const tensor::Int8Scale& scale,
               std::int32_t least, std::int32_t largest, std::uint32_t* words) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const hn::Rebind<T, decltype(d)> dt;
  constexpr std::int64_t kInWord = sizeof(std::uint32_t) / sizeof(T);
  if (count % kInWord != 0) words[count / kInWord] = 0;
  T* to = reinterpret_cast<T*>(words);
  const auto inverse = hn::Set(d, scale.inverse);
  const auto zero = hn::Set(di, scale.zero), low = hn::Set(di, least), high = hn::Set(di, largest);
  const auto stored = [&](hn::Vec<decltype(d)> v) HWY_ATTR {
    const auto rounded = hn::Add(hn::NearestInt(hn::Mul(v, inverse)), zero);
    return hn::DemoteTo(dt, hn::Min(high, hn::Max(low, rounded)));
  };
  for_vectors(
      d, count,
      [&](std::int64_t i) HWY_ATTR { hn::StoreU(stored(hn::LoadU(d, x + i)), dt, to + i); },
      [&](std::int64_t i, std::int64_t rest) HWY_ATTR {
        HWY_ALIGN T lanes[HWY_MAX_BYTES / sizeof(float)];
        hn::StoreU(stored(load_part(d, x + i, rest)), dt, lanes);
        std::memcpy(to + i, lanes, static_cast<std::size_t>(rest) * sizeof(T));
      });
}

inline void narrow(const float* x, std::int64_t count, const tensor::Int8Scale& scale, Narrow type,
                   std::uint32_t* to) {
  using tensor::kLargestInt8Input;
  using tensor::kLargestInt8Weight;
  switch (type) {
    case Narrow::kInput8:
      return narrow_to<std::uint8_t>(x, count, scale, 0, kLargestInt8Input, to);
    case Narrow::kWeight8:
      return narrow_to<std::int8_t>(x, count, scale, -kLargestInt8Weight, kLargestInt8Weight, to);
    case Narrow::kInput16:
      return narrow_to<std::int16_t>(x, count, scale, 0, kLargestInt8Input, to);
    case Narrow::kWeight16:
      return narrow_to<std::int16_t>(x, count, scale, -kLargestInt8Weight, kLargestInt8Weight, to);
  }
}

inline void widen(const std::int32_t* c, std::int64_t c_stride, std::int64_t rows,
                  std::int64_t columns, const tensor::Int8Scale* row_scales,
                  const float* column_scales, const std::int32_t* column_sums, float* y,
                  std::int64_t y_stride) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto n = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t r = 0; r < rows; ++r, c += c_stride, y += y_stride) {
    const auto zero = hn::Set(di, row_scales[r].zero);
    const auto scale = hn::Set(d, row_scales[r].scale);
    for (std::int64_t i = 0; i < columns; i += n) {
      const auto sum = hn::Sub(hn::LoadU(di, c + i), hn::Mul(zero, hn::LoadU(di, column_sums + i)));
      hn::StoreU(hn::Mul(hn::ConvertTo(d, sum), hn::Mul(scale, hn::LoadU(d, column_scales + i))), d,
                 y + i);
    }
  }
}

}  // namespace vecframe::backends::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
