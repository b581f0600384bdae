#include "image/triangle_kernels.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "image/triangle_kernels.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace vecframe::image {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline void columns_of(const std::uint8_t* const* rows, const float* weight, std::uint32_t count,
                       std::size_t begin, std::size_t end, float* HWY_RESTRICT sums) {
  for (std::size_t at = begin; at < end; ++at) {
    float sum = 0;
    for (std::uint32_t k = 0; k < count; ++k) sum += weight[k] * static_cast<float>(rows[k][at]);
    sums[at] = sum;
  }
}

void columns(const std::uint8_t* const* rows, const float* weight, std::uint32_t count,
             std::size_t samples, float* HWY_RESTRICT sums) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<std::int32_t, decltype(d)> d_int;
  const hn::Rebind<std::uint8_t, decltype(d)> d_byte;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t at = 0;
  for (; at + 4 * lanes <= samples; at += 4 * lanes) {
    auto sum0 = hn::Zero(d), sum1 = hn::Zero(d), sum2 = hn::Zero(d), sum3 = hn::Zero(d);
    for (std::uint32_t k = 0; k < count; ++k) {
      const std::uint8_t* row = rows[k] + at;
      const auto w = hn::Set(d, weight[k]);
      const auto product = [&](std::size_t offset) HWY_ATTR {
        return hn::Mul(
            w, hn::ConvertTo(d, hn::PromoteTo(d_int, hn::LoadU(d_byte, row + offset * lanes))));
      };
      sum0 = hn::Add(sum0, product(0));
      sum1 = hn::Add(sum1, product(1));
      sum2 = hn::Add(sum2, product(2));
      sum3 = hn::Add(sum3, product(3));
    }
    hn::StoreU(sum0, d, sums + at);
    hn::StoreU(sum1, d, sums + at + lanes);
    hn::StoreU(sum2, d, sums + at + 2 * lanes);
    hn::StoreU(sum3, d, sums + at + 3 * lanes);
  }
  columns_of(rows, weight, count, at, samples, sums);
}

#if HWY_TARGET == HWY_SCALAR

void rows(const float* const* inputs, int channels, const TriangleWeights& weights,
          std::uint8_t* const* outputs) {
  const auto pixel = static_cast<std::size_t>(channels);
  for (std::size_t r = 0; r < kTriangleRows; ++r)
    for (std::uint32_t i = 0; i < weights.size(); ++i)
      for (std::size_t c = 0; c < pixel; ++c) {
        float sum = 0;
        for (std::uint32_t k = 0; k < weights.count[i]; ++k)
          sum += weights.weight[i * weights.stride + k] *
                 inputs[r][(std::size_t{weights.first[i]} + k) * pixel + c];
        sum = std::clamp(sum, 0.0f, 255.0f);
        const int whole = static_cast<int>(sum);
        outputs[r][i * pixel + c] =
            static_cast<std::uint8_t>(whole + (sum - static_cast<float>(whole) >= 0.5f ? 1 : 0));
      }
}

#else

using Pixel = hn::Full128<float>;

// Rounds half away from zero. Adding a half first would not do: 0.5 - 2^-25 would become 1.
HWY_INLINE void store_pixel(hn::Vec<Pixel> sum, std::uint8_t* to) {
  const Pixel d;
  const hn::RebindToSigned<Pixel> d_int;
  const hn::Rebind<std::uint8_t, Pixel> d_byte;
  sum = hn::Min(hn::Max(sum, hn::Zero(d)), hn::Set(d, 255.0f));
  const auto whole = hn::ConvertTo(d_int, sum);
  const auto up = hn::Ge(hn::Sub(sum, hn::ConvertTo(d, whole)), hn::Set(d, 0.5f));
  const auto rounded = hn::Sub(whole, hn::VecFromMask(d_int, hn::RebindMask(d_int, up)));
  hn::StoreU(hn::DemoteTo(d_byte, rounded), d_byte, to);
}

// A vector holds one pixel; where a pixel has fewer than four channels, what the other lanes hold
// belongs to the next pixel and is written over by it.
template <std::size_t kChannels>
void rows_of(const float* const* inputs, const TriangleWeights& weights,
             std::uint8_t* const* outputs) {
  const Pixel d;
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    const float* weight = weights.weight.data() + i * weights.stride;
    const std::size_t from = std::size_t{weights.first[i]} * kChannels;
    const std::size_t end = from + std::size_t{weights.count[i]} * kChannels;
    auto sum0 = hn::Zero(d), sum1 = hn::Zero(d), sum2 = hn::Zero(d), sum3 = hn::Zero(d);
    for (std::size_t at = from; at < end; at += kChannels, ++weight) {
      const auto w = hn::Set(d, *weight);
      sum0 = hn::Add(sum0, hn::Mul(w, hn::LoadU(d, inputs[0] + at)));
      sum1 = hn::Add(sum1, hn::Mul(w, hn::LoadU(d, inputs[1] + at)));
      sum2 = hn::Add(sum2, hn::Mul(w, hn::LoadU(d, inputs[2] + at)));
      sum3 = hn::Add(sum3, hn::Mul(w, hn::LoadU(d, inputs[3] + at)));
    }
    store_pixel(sum0, outputs[0] + i * kChannels);
    store_pixel(sum1, outputs[1] + i * kChannels);
    store_pixel(sum2, outputs[2] + i * kChannels);
    store_pixel(sum3, outputs[3] + i * kChannels);
  }
}

void rows(const float* const* inputs, int channels, const TriangleWeights& weights,
          std::uint8_t* const* outputs) {
  static_assert(kTriangleRows == 4 && kTrianglePadding == 3);
  switch (channels) {
    case 1:
      return rows_of<1>(inputs, weights, outputs);
    case 2:
      return rows_of<2>(inputs, weights, outputs);
    case 3:
      return rows_of<3>(inputs, weights, outputs);
    default:
      return rows_of<4>(inputs, weights, outputs);
  }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace vecframe::image
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vecframe::image {

HWY_EXPORT(columns);
HWY_EXPORT(rows);

void triangle_columns(const std::uint8_t* const* rows, const float* weight, std::uint32_t count,
                      std::size_t samples, float* sums) {
  HWY_DYNAMIC_DISPATCH(columns)(rows, weight, count, samples, sums);
}

void triangle_rows(const float* const* inputs, int channels, const TriangleWeights& weights,
                   std::uint8_t* const* outputs) {
  HWY_DYNAMIC_DISPATCH(rows)(inputs, channels, weights, outputs);
}

}  // namespace vecframe::image
#endif
