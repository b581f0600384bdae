// Feature maps channel by channel: the largest of a window, and global response normalisation.
#if defined(VECFRAME_MAP_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VECFRAME_MAP_INL_H
#undef VECFRAME_MAP_INL_H
#else
#define VECFRAME_MAP_INL_H
#endif

#include <hwy/highway.h>

#include <algorithm>
#include <cstdint>

#include "backends/cpu/elementwise-inl.h"
#include "compute/types.h"

HWY_BEFORE_NAMESPACE();
namespace vecframe::backends::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

inline void max_rows(const float* const* rows, std::int64_t count, std::int64_t columns, float* y) {
  const hn::ScalableTag<float> d;
  for_vectors(
      d, columns,
      [&](std::int64_t i) HWY_ATTR {
        auto largest = hn::LoadU(d, rows[0] + i);
        for (std::int64_t r = 1; r < count; ++r)
          largest = hn::Max(largest, hn::LoadU(d, rows[r] + i));
        hn::StoreU(largest, d, y + i);
      },
      [&](std::int64_t i, std::int64_t rest) HWY_ATTR {
        auto largest = load_part(d, rows[0] + i, rest);
        for (std::int64_t r = 1; r < count; ++r)
          largest = hn::Max(largest, load_part(d, rows[r] + i, rest));
        store_part(largest, d, y + i, rest);
      });
}

inline void normalize_response(const float* weight, const float* bias, float epsilon,
                               compute::Matrix x, float* scales) {
  const hn::ScalableTag<float> d;
  const std::int64_t n = x.columns;
  std::fill_n(scales, n, 0.0f);
  for (std::int64_t r = 0; r < x.rows; ++r) {
    const float* from = x.data + r * x.stride;
    for_vectors(
        d, n,
        [&](std::int64_t i) HWY_ATTR {
          const auto v = hn::LoadU(d, from + i);
          hn::StoreU(hn::MulAdd(v, v, hn::LoadU(d, scales + i)), d, scales + i);
        },
        [&](std::int64_t i, std::int64_t rest) HWY_ATTR {
          const auto v = load_part(d, from + i, rest);
          store_part(hn::MulAdd(v, v, load_part(d, scales + i, rest)), d, scales + i, rest);
        });
  }
  auto sum = hn::Zero(d);
  for_vectors(
      d, n,
      [&](std::int64_t i) HWY_ATTR { sum = hn::Add(sum, hn::Sqrt(hn::LoadU(d, scales + i))); },
      [&](std::int64_t i, std::int64_t rest)
          HWY_ATTR { sum = hn::Add(sum, hn::Sqrt(load_part(d, scales + i, rest))); });
  const float mean = hn::GetLane(hn::SumOfLanes(d, sum)) / static_cast<float>(n);
  const auto inverse = hn::Set(d, 1 / (mean + epsilon)), one = hn::Set(d, 1.0f);
  for_vectors(
      d, n,
      [&](std::int64_t i) HWY_ATTR {
        const auto share = hn::Mul(hn::Sqrt(hn::LoadU(d, scales + i)), inverse);
        hn::StoreU(hn::MulAdd(hn::LoadU(d, weight + i), share, one), d, scales + i);
      },
      [&](std::int64_t i, std::int64_t rest) HWY_ATTR {
        const auto share = hn::Mul(hn::Sqrt(load_part(d, scales + i, rest)), inverse);
        store_part(hn::MulAdd(load_part(d, weight + i, rest), share, one), d, scales + i, rest);
      });
  for (std::int64_t r = 0; r < x.rows; ++r) {
    float* to = x.data + r * x.stride;
    for_vectors(
        d, n,
        [&](std::int64_t i) HWY_ATTR {
          hn::StoreU(
              hn::MulAdd(hn::LoadU(d, to + i), hn::LoadU(d, scales + i), hn::LoadU(d, bias + i)), d,
              to + i);
        },
        [&](std::int64_t i, std::int64_t rest) HWY_ATTR {
          store_part(hn::MulAdd(load_part(d, to + i, rest), load_part(d, scales + i, rest),
                                load_part(d, bias + i, rest)),
                     d, to + i, rest);
        });
  }
}

}  // namespace vecframe::backends::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
