// Depthwise convolution of one output row: a vector of channels by a few columns at a time.
#if defined(VECFRAME_DEPTHWISE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VECFRAME_DEPTHWISE_INL_H
#undef VECFRAME_DEPTHWISE_INL_H
#else
#define VECFRAME_DEPTHWISE_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#include "backends/cpu/activation-inl.h"
#include "backends/cpu/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace vecframe::backends::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Taps [first, last) of the kernel lie inside the row for output column `out`.
struct TapRange {
  std::int64_t first, last;
};

inline TapRange taps_inside(const DepthwiseRow& row, std::int64_t out) {
  const std::int64_t left = out * row.stride - row.pad_before;
  return {std::max<std::int64_t>(0, -left), std::min(row.kernel, row.in_width - left)};
}

// kColumns output columns from `out`, channels [c, c + lanes), all with the same taps.
template <int kColumns, class Load, class Store>
HWY_INLINE void depthwise_columns(const DepthwiseRow& row, std::int64_t out, std::int64_t c,
                                  TapRange taps, Load load, Store store) {
  const hn::ScalableTag<float> d;
  hn::Vec<decltype(d)> sums[kColumns];
#pragma GCC unroll 4
  for (int j = 0; j < kColumns; ++j) sums[j] = load(row.bias + c);
  for (std::int64_t ky = 0; ky < row.kernel; ++ky) {
    if (row.rows[ky] == nullptr) continue;
    for (std::int64_t kx = taps.first; kx < taps.last; ++kx) {
      const auto w = load(row.weight + (ky * row.kernel + kx) * row.channels + c);
      const float* x = row.rows[ky] + (out * row.stride - row.pad_before + kx) * row.channels + c;
#pragma GCC unroll 4
      for (int j = 0; j < kColumns; ++j)
        sums[j] = hn::MulAdd(load(x + j * row.stride * row.channels), w, sums[j]);
    }
  }
#pragma GCC unroll 4
  for (int j = 0; j < kColumns; ++j) store(sums[j], row.y + (out + j) * row.channels + c);
}

// As many columns as leave registers for the taps of a row of 7; and the maps of a picture of 224
// are 7, 14, 28, 56 and 112 columns wide.
constexpr int kSlidingColumns = 7;

// kSlidingColumns output columns from `out` at stride 1. Each input vector is loaded once and meets
// all taps that lie over it; an output column still adds its taps from left to right. Columns
// beyond the map are computed, of no matter what, and not stored.
template <int kKernel, bool kInside, class Load, class Store>
HWY_INLINE void depthwise_sliding(const DepthwiseRow& row, std::int64_t out, std::int64_t c,
                                  Load load, Store store) {
  using V = hn::Vec<hn::ScalableTag<float>>;
  V sums[kSlidingColumns];
#pragma GCC unroll 8
  for (int j = 0; j < kSlidingColumns; ++j) sums[j] = load(row.bias + c);
  const std::int64_t left = out - row.pad_before;
  for (std::int64_t ky = 0; ky < row.kernel; ++ky) {
    if (row.rows[ky] == nullptr) continue;
    V taps[kKernel];
#pragma GCC unroll 8
    for (int kx = 0; kx < kKernel; ++kx)
      taps[kx] = load(row.weight + (ky * kKernel + kx) * row.channels + c);
#pragma GCC unroll 16
    for (int i = 0; i < kSlidingColumns + kKernel - 1; ++i) {
      if (!kInside && (left + i < 0 || left + i >= row.in_width)) continue;
      const V x = load(row.rows[ky] + (left + i) * row.channels + c);
#pragma GCC unroll 8
      for (int kx = 0; kx < kKernel; ++kx)
        if (i - kx >= 0 && i - kx < kSlidingColumns)
          sums[i - kx] = hn::MulAdd(x, taps[kx], sums[i - kx]);
    }
  }
#pragma GCC unroll 8
  for (int j = 0; j < kSlidingColumns; ++j)
    if (out + j < row.out_width) store(sums[j], row.y + (out + j) * row.channels + c);
}

template <int kKernel, class Load, class Store>
HWY_INLINE void depthwise_sliding_row(const DepthwiseRow& row, std::int64_t c, Load load,
                                      Store store) {
  for (std::int64_t out = 0; out < row.out_width; out += kSlidingColumns) {
    const std::int64_t left = out - row.pad_before;
    if (left >= 0 && left + kSlidingColumns + kKernel - 1 <= row.in_width)
      depthwise_sliding<kKernel, true>(row, out, c, load, store);
    else
      depthwise_sliding<kKernel, false>(row, out, c, load, store);
  }
}

template <class Load, class Store>
HWY_INLINE void depthwise_channels(const DepthwiseRow& row, std::int64_t c, Load load,
                                   Store store) {
  if (row.stride == 1 && row.kernel == 7) return depthwise_sliding_row<7>(row, c, load, store);
  if (row.stride == 1 && row.kernel == 5) return depthwise_sliding_row<5>(row, c, load, store);
  if (row.stride == 1 && row.kernel == 3) return depthwise_sliding_row<3>(row, c, load, store);
  constexpr int kColumns = 4;
  for (std::int64_t out = 0; out < row.out_width;) {
    const TapRange taps = taps_inside(row, out);
    const bool inner = taps.first == 0 && out + kColumns <= row.out_width &&
                       taps_inside(row, out + kColumns - 1).last == row.kernel;
    if (inner) {
      depthwise_columns<kColumns>(row, out, c, taps, load, store);
      out += kColumns;
    } else {
      depthwise_columns<1>(row, out, c, taps, load, store);
      ++out;
    }
  }
}

inline void depthwise(const DepthwiseRow& row) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const auto n = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t c = 0;
  for (; c + n <= row.channels; c += n) {
    depthwise_channels(
        row, c, [&](const float* from) HWY_ATTR { return hn::LoadU(d, from); },
        [&](V v, float* to) HWY_ATTR { hn::StoreU(v, d, to); });
  }
  if (c == row.channels) return;
  const std::int64_t rest = row.channels - c;
  depthwise_channels(
      row, c, [&](const float* from) HWY_ATTR { return load_part(d, from, rest); },
      [&](V v, float* to) HWY_ATTR { store_part(v, d, to, rest); });
}

}  // namespace vecframe::backends::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
