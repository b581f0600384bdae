// One query against many rows, and the weighted sum of rows: attention pooling. Rows are read in
// place, once; packing them would cost as much as the products.
#if defined(VECFRAME_POOLING_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VECFRAME_POOLING_INL_H
#undef VECFRAME_POOLING_INL_H
#else
#define VECFRAME_POOLING_INL_H
#endif

#include <hwy/highway.h>

#include <cstdint>

#include "backends/cpu/elementwise-inl.h"
#include "compute/types.h"

HWY_BEFORE_NAMESPACE();
namespace vecframe::backends::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline void dot_rows(const float* query, float scale, compute::Matrix x, float* y) {
  const hn::ScalableTag<float> d;
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const float* from = x.data + r * x.stride;
    auto sum = hn::Zero(d);
    for_vectors(
        d, x.columns,
        [&](std::int64_t i)
            HWY_ATTR { sum = hn::MulAdd(hn::LoadU(d, query + i), hn::LoadU(d, from + i), sum); },
        [&](std::int64_t i, std::int64_t rest) HWY_ATTR {
          sum = hn::MulAdd(load_part(d, query + i, rest), load_part(d, from + i, rest), sum);
        });
    y[r] = scale * hn::GetLane(hn::SumOfLanes(d, sum));
  }
}

inline void sum_rows(const float* weights, float factor, compute::Matrix x, float* y) {
  const hn::ScalableTag<float> d;
  const auto scale = hn::Set(d, factor);
  for_vectors(
      d, x.columns,
      [&](std::int64_t i) HWY_ATTR {
        auto sum = hn::Zero(d);
        for (std::int64_t r = 0; r < x.rows; ++r)
          sum = hn::MulAdd(hn::Set(d, weights[r]), hn::LoadU(d, x.data + r * x.stride + i), sum);
        hn::StoreU(hn::Mul(sum, scale), d, y + i);
      },
      [&](std::int64_t i, std::int64_t rest) HWY_ATTR {
        auto sum = hn::Zero(d);
        for (std::int64_t r = 0; r < x.rows; ++r)
          sum = hn::MulAdd(hn::Set(d, weights[r]), load_part(d, x.data + r * x.stride + i, rest),
                           sum);
        store_part(hn::Mul(sum, scale), d, y + i, rest);
      });
}

}  // namespace vecframe::backends::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
