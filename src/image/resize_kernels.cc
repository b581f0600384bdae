#include "image/resize_kernels.h"

#include <algorithm>
#include <cstring>

#include "image/resize_portable.h"

// The passes rely on interleaving and demotion that stay within 128-bit blocks, which vectors of
// unknown length do not offer; such machines take the fixed-length instructions they also have.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "image/resize_kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "hwy/highway.h"

// Once for all instruction sets.
#ifndef VECFRAME_IMAGE_RESIZE_KERNELS_ONCE
#define VECFRAME_IMAGE_RESIZE_KERNELS_ONCE
namespace vecframe::image {

/// A unit is one channel of an even pixel and its right neighbour, of kBlockRows rows: for each row
/// the two bytes, as the pairs of weights want them.
inline constexpr std::size_t kUnitBytes = 2 * kBlockRows;
/// Output pixels collected before they are turned back into rows.
inline constexpr std::uint32_t kStagedPixels = 16;

}  // namespace vecframe::image
#endif

HWY_BEFORE_NAMESPACE();
namespace vecframe::image {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET == HWY_SCALAR

void horizontal_pass(const std::uint8_t* const* inputs, std::uint32_t columns, int channels,
                     const AxisWeights& weights, std::uint8_t* /*scratch*/,
                     std::uint8_t* const* outputs, std::uint32_t num_outputs) {
  horizontal_pass_portable(inputs, columns, channels, weights, outputs, num_outputs);
}

void vertical_pass(const std::uint8_t* const* rows, std::size_t bytes, const AxisWeights& weights,
                   std::uint32_t i, std::uint8_t* output) {
  vertical_pass_portable(rows, bytes, weights, i, output);
}

#else

using Full16Bytes = hn::Full128<std::uint8_t>;

/// Orders the bytes of a 16-byte block by (pair of pixels, channel, pixel). With three channels 12
/// bytes are used, the rest is cleared.
template <int kChannels>
struct PairOrder {
  static constexpr std::size_t kBytes = kChannels == 3 ? 12 : 16;
  static constexpr std::size_t kUnits = kBytes / 2;
  HWY_ALIGN static constexpr std::uint8_t kTable[16] = {};
};
template <>
struct PairOrder<2> {
  static constexpr std::size_t kBytes = 16;
  static constexpr std::size_t kUnits = 8;
  HWY_ALIGN static constexpr std::uint8_t kTable[16] = {0, 2,  1, 3,  4,  6,  5,  7,
                                                        8, 10, 9, 11, 12, 14, 13, 15};
};
template <>
struct PairOrder<3> {
  static constexpr std::size_t kBytes = 12;
  static constexpr std::size_t kUnits = 6;
  HWY_ALIGN static constexpr std::uint8_t kTable[16] = {0, 3,  1, 4,  2,    5,    6,    9,
                                                        7, 10, 8, 11, 0x80, 0x80, 0x80, 0x80};
};
template <>
struct PairOrder<4> {
  static constexpr std::size_t kBytes = 16;
  static constexpr std::size_t kUnits = 8;
  HWY_ALIGN static constexpr std::uint8_t kTable[16] = {0, 4,  1, 5,  2,  6,  3,  7,
                                                        8, 12, 9, 13, 10, 14, 11, 15};
};

template <class D>
HWY_INLINE hn::Vec<D> load_rows(D d, const std::uint8_t* const* rows, std::size_t row,
                                std::size_t at) {
  if constexpr (hn::MaxLanes(D()) == 16) {
    return hn::LoadU(d, rows[row] + at);
  } else {
    const Full16Bytes half;
    return hn::Combine(d, hn::LoadU(half, rows[row + 8] + at), hn::LoadU(half, rows[row] + at));
  }
}

/// Makes the units of one block of 16 bytes of every row; the 8 rows of a register's block become
/// the 8 lanes of a unit.
template <int kChannels>
HWY_INLINE void transpose_block(const std::uint8_t* const* rows, std::size_t at,
                                std::uint8_t* HWY_RESTRICT units) {
  const hn::CappedTag<std::uint8_t, 32> d8;
  const hn::Repartition<std::uint16_t, decltype(d8)> d16;
  using V = hn::Vec<decltype(d16)>;
  using Order = PairOrder<kChannels>;
  constexpr std::size_t kWidth = hn::MaxLanes(decltype(d8)());
  for (std::size_t row = 0; row < kBlockRows; row += kWidth / 2) {
    V a[8];
    for (std::size_t k = 0; k < 8; ++k) {
      auto bytes = load_rows(d8, rows, row + k, at);
      if constexpr (kChannels != 1)
        bytes = hn::TableLookupBytes(bytes, hn::LoadDup128(d8, Order::kTable));
      a[k] = hn::BitCast(d16, bytes);
    }
    for (int stage = 0; stage < 3; ++stage) {  // three perfect shuffles transpose 8 x 8
      V b[8];
      for (std::size_t k = 0; k < 4; ++k) {
        b[2 * k] = hn::InterleaveLower(d16, a[k], a[k + 4]);
        b[2 * k + 1] = hn::InterleaveUpper(d16, a[k], a[k + 4]);
      }
      for (std::size_t k = 0; k < 8; ++k) a[k] = b[k];
    }
    for (std::size_t k = 0; k < Order::kUnits; ++k)
      hn::Store(hn::BitCast(d8, a[k]), d8, units + k * kUnitBytes + row * 2);
  }
}

template <int kChannels>
void transpose_in(const std::uint8_t* const* rows, std::uint32_t columns,
                  std::uint8_t* HWY_RESTRICT units) {
  using Order = PairOrder<kChannels>;
  const std::size_t bytes = std::size_t{columns} * kChannels;
  std::size_t at = 0;
  for (; at + 16 <= bytes; at += Order::kBytes, units += Order::kUnits * kUnitBytes)
    transpose_block<kChannels>(rows, at, units);
  for (; at < bytes; at += Order::kBytes, units += Order::kUnits * kUnitBytes) {
    HWY_ALIGN std::uint8_t ends[kBlockRows][16] = {};
    const std::uint8_t* end_rows[kBlockRows];
    for (std::size_t k = 0; k < kBlockRows; ++k) {
      std::memcpy(ends[k], rows[k] + at, std::min<std::size_t>(bytes - at, 16));
      end_rows[k] = ends[k];
    }
    transpose_block<kChannels>(end_rows, 0, units);
  }
}

/// Turns `count` columns (at most 16) of 16 bytes into bytes [at, at + count) of the rows.
HWY_INLINE void transpose_out(const std::uint8_t* HWY_RESTRICT columns, std::size_t count,
                              std::uint8_t* const* rows, std::uint32_t num_rows, std::size_t at) {
  const Full16Bytes d;
  hn::Vec<Full16Bytes> a[16];
  for (std::size_t k = 0; k < 16; ++k) a[k] = hn::Load(d, columns + 16 * k);
  for (int stage = 0; stage < 4; ++stage) {
    hn::Vec<Full16Bytes> b[16];
    for (std::size_t k = 0; k < 8; ++k) {
      b[2 * k] = hn::InterleaveLower(d, a[k], a[k + 8]);
      b[2 * k + 1] = hn::InterleaveUpper(d, a[k], a[k + 8]);
    }
    for (std::size_t k = 0; k < 16; ++k) a[k] = b[k];
  }
  if (count == 16 && num_rows == kBlockRows) {
    for (std::size_t k = 0; k < 16; ++k) hn::StoreU(a[k], d, rows[k] + at);
    return;
  }
  HWY_ALIGN std::uint8_t block[16][16];
  for (std::size_t k = 0; k < 16; ++k) hn::Store(a[k], d, block[k]);
  for (std::size_t k = 0; k < num_rows; ++k) std::memcpy(rows[k] + at, block[k], count);
}

/// Sums of products, modulo 2^32, of pairs of 16-bit numbers. `odd` stays zero where the machine
/// adds the two products of a pair itself.
template <class D32>
struct PairSum {
  hn::Vec<D32> sum, odd;
  HWY_INLINE void clear() { sum = odd = hn::Zero(D32()); }
  template <class V16>
  HWY_INLINE void add(V16 values, V16 weights) {
    sum = hn::ReorderWidenMulAccumulate(D32(), values, weights, sum, odd);
  }
  HWY_INLINE hn::Vec<D32> total() const { return hn::RearrangeToOddPlusEven(sum, odd); }
};

/// One output sample in each lane: the two parts of the weights put together, without rounding.
template <bool kSplit, class D32>
struct Accumulator;
template <class D32>
struct Accumulator<false, D32> {
  PairSum<D32> high;
  HWY_INLINE void clear() { high.clear(); }
  template <class V16>
  HWY_INLINE void add(V16 values, V16 high_weights, V16 /*low_weights*/) {
    high.add(values, high_weights);
  }
  HWY_INLINE hn::Vec<D32> total() const { return high.total(); }
};
template <class D32>
struct Accumulator<true, D32> {
  PairSum<D32> high, low;
  HWY_INLINE void clear() {
    high.clear();
    low.clear();
  }
  template <class V16>
  HWY_INLINE void add(V16 values, V16 high_weights, V16 low_weights) {
    high.add(values, high_weights);
    low.add(values, low_weights);
  }
  HWY_INLINE hn::Vec<D32> total() const {
    return hn::Add(hn::ShiftLeft<8>(high.total()), low.total());
  }
};

template <class V>
HWY_INLINE V round_off(V sum, V half, int bits) {
  return hn::ShiftRightSame(hn::Add(sum, half), bits);
}

template <int kChannels, bool kSplit>
void horizontal(const std::uint8_t* const* inputs, std::uint32_t columns,
                const AxisWeights& weights, std::uint8_t* HWY_RESTRICT scratch,
                std::uint8_t* const* outputs, std::uint32_t num_outputs) {
  const hn::CappedTag<std::int16_t, kUnitBytes> d16;
  const hn::RepartitionToWide<decltype(d16)> d32;
  const hn::Rebind<std::uint8_t, decltype(d16)> d8_of_16;
  const hn::Rebind<std::uint8_t, decltype(d32)> d8_of_32;
  constexpr std::size_t kLanes = hn::MaxLanes(decltype(d16)());
  constexpr std::size_t kVectors = kUnitBytes / kLanes;
  using Sum = Accumulator<kSplit, decltype(d32)>;

  std::uint8_t* staged = scratch;
  std::uint8_t* units = scratch + kStagedPixels * kChannels * kBlockRows;
  transpose_in<kChannels>(inputs, columns, units);

  const auto half = hn::Set(d32, weights.bits > 0 ? 1 << (weights.bits - 1) : 0);
  const std::uint32_t width = weights.size();
  for (std::uint32_t i = 0; i < width; ++i) {
    Sum sums[kChannels][kVectors];
    for (int c = 0; c < kChannels; ++c)
      for (std::size_t v = 0; v < kVectors; ++v) sums[c][v].clear();
    const std::int32_t* high = weights.high.data() + std::size_t{weights.stride} * i;
    const std::int32_t* low =
        kSplit ? weights.low.data() + std::size_t{weights.stride} * i : nullptr;
    const std::uint8_t* unit = units + std::size_t{weights.first[i] / 2} * kChannels * kUnitBytes;
    for (std::uint32_t k = 0; k < weights.pairs[i]; ++k) {
      const auto high_weights = hn::BitCast(d16, hn::Set(d32, high[k]));
      const auto low_weights = hn::BitCast(d16, hn::Set(d32, kSplit ? low[k] : 0));
      for (int c = 0; c < kChannels; ++c)
        for (std::size_t v = 0; v < kVectors; ++v, unit += kLanes)
          sums[c][v].add(hn::PromoteTo(d16, hn::Load(d8_of_16, unit)), high_weights, low_weights);
    }
    std::uint8_t* column = staged + i % kStagedPixels * kChannels * kBlockRows;
    for (int c = 0; c < kChannels; ++c)
      for (std::size_t v = 0; v < kVectors; ++v, column += kLanes / 2)
        hn::Store(hn::DemoteTo(d8_of_32, round_off(sums[c][v].total(), half, weights.bits)),
                  d8_of_32, column);
    if (i % kStagedPixels != kStagedPixels - 1 && i != width - 1) continue;
    const std::size_t begin = std::size_t{i / kStagedPixels} * kStagedPixels * kChannels;
    const std::size_t count = std::size_t{i + 1} * kChannels - begin;
    for (std::size_t k = 0; k < count; k += 16)
      transpose_out(staged + k * kBlockRows, std::min<std::size_t>(count - k, 16), outputs,
                    num_outputs, begin + k);
  }
}

template <int kChannels>
void horizontal_any(const std::uint8_t* const* inputs, std::uint32_t columns,
                    const AxisWeights& weights, std::uint8_t* scratch, std::uint8_t* const* outputs,
                    std::uint32_t num_outputs) {
  if (weights.split)
    horizontal<kChannels, true>(inputs, columns, weights, scratch, outputs, num_outputs);
  else
    horizontal<kChannels, false>(inputs, columns, weights, scratch, outputs, num_outputs);
}

void horizontal_pass(const std::uint8_t* const* inputs, std::uint32_t columns, int channels,
                     const AxisWeights& weights, std::uint8_t* scratch,
                     std::uint8_t* const* outputs, std::uint32_t num_outputs) {
  switch (channels) {
    case 1:
      return horizontal_any<1>(inputs, columns, weights, scratch, outputs, num_outputs);
    case 2:
      return horizontal_any<2>(inputs, columns, weights, scratch, outputs, num_outputs);
    case 3:
      return horizontal_any<3>(inputs, columns, weights, scratch, outputs, num_outputs);
    default:
      return horizontal_any<4>(inputs, columns, weights, scratch, outputs, num_outputs);
  }
}

/// Bytes [at, at + Lanes(d8)) of the output row.
template <bool kSplit, class D8>
HWY_INLINE void vertical_strip(D8 d8, const std::uint8_t* const* rows, std::size_t at,
                               std::uint32_t pairs, const std::int32_t* high,
                               const std::int32_t* low, int bits, std::uint8_t* output) {
  const hn::Repartition<std::int16_t, D8> d16;
  const hn::Repartition<std::int32_t, D8> d32;
  HWY_ALIGN static constexpr std::uint8_t kSeparate[16] = {0, 2, 4, 6, 8, 10, 12, 14,
                                                           1, 3, 5, 7, 9, 11, 13, 15};
  Accumulator<kSplit, decltype(d32)> sums[4];  // bytes 0..3, 4..7, 8..11, 12..15 of every block
  for (auto& sum : sums) sum.clear();
  const auto zero = hn::Zero(d8);
  for (std::uint32_t k = 0; k < pairs; ++k) {
    const auto high_weights = hn::BitCast(d16, hn::Set(d32, high[k]));
    const auto low_weights = hn::BitCast(d16, hn::Set(d32, kSplit ? low[k] : 0));
    const auto a = hn::LoadU(d8, rows[2 * k] + at);
    const auto b = hn::LoadU(d8, rows[2 * k + 1] + at);
    const auto lower = hn::InterleaveLower(d8, a, b);
    const auto upper = hn::InterleaveUpper(d8, a, b);
    const auto widen_lower = [&](auto v) HWY_ATTR {
      return hn::BitCast(d16, hn::InterleaveLower(d8, v, zero));
    };
    const auto widen_upper = [&](auto v) HWY_ATTR {
      return hn::BitCast(d16, hn::InterleaveUpper(d8, v, zero));
    };
    sums[0].add(widen_lower(lower), high_weights, low_weights);
    sums[1].add(widen_upper(lower), high_weights, low_weights);
    sums[2].add(widen_lower(upper), high_weights, low_weights);
    sums[3].add(widen_upper(upper), high_weights, low_weights);
  }
  const auto half = hn::Set(d32, bits > 0 ? 1 << (bits - 1) : 0);
  const auto sample = [&](int k) HWY_ATTR { return round_off(sums[k].total(), half, bits); };
  const auto clamp = [&](auto v) HWY_ATTR {
    return hn::Min(hn::Max(v, hn::Zero(d16)), hn::Set(d16, std::int16_t{255}));
  };
  const auto first = clamp(hn::ReorderDemote2To(d16, sample(0), sample(1)));
  const auto second = clamp(hn::ReorderDemote2To(d16, sample(2), sample(3)));
  const auto mixed = hn::BitCast(d8, hn::Or(first, hn::ShiftLeft<8>(second)));
  hn::StoreU(hn::TableLookupBytes(mixed, hn::LoadDup128(d8, kSeparate)), d8, output + at);
}

template <bool kSplit>
void vertical(const std::uint8_t* const* rows, std::size_t bytes, const AxisWeights& weights,
              std::uint32_t i, std::uint8_t* output) {
  const std::uint32_t pairs = weights.pairs[i];
  const std::int32_t* high = weights.high.data() + std::size_t{weights.stride} * i;
  const std::int32_t* low = kSplit ? weights.low.data() + std::size_t{weights.stride} * i : nullptr;
  const auto strip = [&](auto d, std::size_t at) HWY_ATTR {
    vertical_strip<kSplit>(d, rows, at, pairs, high, low, weights.bits, output);
  };
  // The last strip of a row overlaps the one before: writing the same bytes twice is cheaper than
  // a narrower tail.
  const hn::CappedTag<std::uint8_t, 64> wide;
  const std::size_t width = hn::Lanes(wide);
  if (bytes >= width) {
    std::size_t at = 0;
    for (; at + width <= bytes; at += width) strip(wide, at);
    if (at < bytes) strip(wide, bytes - width);
    return;
  }
  const Full16Bytes narrow;
  if (bytes >= 16) {
    std::size_t at = 0;
    for (; at + 16 <= bytes; at += 16) strip(narrow, at);
    if (at < bytes) strip(narrow, bytes - 16);
    return;
  }
  vertical_pass_portable(rows, bytes, weights, i, output);
}

void vertical_pass(const std::uint8_t* const* rows, std::size_t bytes, const AxisWeights& weights,
                   std::uint32_t i, std::uint8_t* output) {
  if (weights.split)
    vertical<true>(rows, bytes, weights, i, output);
  else
    vertical<false>(rows, bytes, weights, i, output);
}

#endif  // HWY_TARGET == HWY_SCALAR
}  // namespace HWY_NAMESPACE
}  // namespace vecframe::image
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vecframe::image {

HWY_EXPORT(horizontal_pass);
HWY_EXPORT(vertical_pass);

std::size_t horizontal_scratch_bytes(std::uint32_t columns, int channels) {
  const auto width = static_cast<std::size_t>(channels);
  const std::size_t staged = kStagedPixels * width * kBlockRows;
  const std::size_t pairs = (std::size_t{columns} + 1) / 2;
  constexpr std::size_t kUnitsOfABlock = 8;  // the last block is written whole
  return staged + (pairs * width + kUnitsOfABlock) * kUnitBytes;
}

void horizontal_pass(const std::uint8_t* const* inputs, std::uint32_t columns, int channels,
                     const AxisWeights& weights, std::uint8_t* scratch,
                     std::uint8_t* const* outputs, std::uint32_t num_outputs) {
  HWY_DYNAMIC_DISPATCH(horizontal_pass)
  (inputs, columns, channels, weights, scratch, outputs, num_outputs);
}

void vertical_pass(const std::uint8_t* const* rows, std::size_t bytes, const AxisWeights& weights,
                   std::uint32_t i, std::uint8_t* output) {
  HWY_DYNAMIC_DISPATCH(vertical_pass)(rows, bytes, weights, i, output);
}

}  // namespace vecframe::image
#endif  // HWY_ONCE
