// Kernels that touch each value once or twice: epilogues, softmax, norms.
#if defined(VECFRAME_ELEMENTWISE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VECFRAME_ELEMENTWISE_INL_H
#undef VECFRAME_ELEMENTWISE_INL_H
#else
#define VECFRAME_ELEMENTWISE_INL_H
#endif

#include <hwy/highway.h>

#include <cmath>
#include <cstdint>

#include "backends/cpu/activation-inl.h"
#include "backends/cpu/kernels.h"

HWY_BEFORE_NAMESPACE();
namespace vecframe::backends::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// Calls body(first, count) for whole vectors, then for the rest of a row.
template <class D, class Whole, class Part>
HWY_INLINE void for_vectors(D d, std::int64_t columns, Whole whole, Part part) {
  const auto n = static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t i = 0;
  for (; i + n <= columns; i += n) whole(i);
  if (i < columns) part(i, columns - i);
}

template <compute::Activation kActivation>
void finish_as(const float* c, std::int64_t c_stride, std::int64_t rows, std::int64_t columns,
               const Epilogue& epilogue, float* y, std::int64_t y_stride) {
  const hn::ScalableTag<float> d;
  const auto n = static_cast<std::int64_t>(hn::Lanes(d));
  const float* bias = epilogue.bias;
  for (std::int64_t r = 0; r < rows; ++r, c += c_stride, y += y_stride) {
    const float* residual =
        epilogue.residual == nullptr ? nullptr : epilogue.residual + r * epilogue.residual_stride;
    const float* before = epilogue.activates_sum ? residual : nullptr;
    const float* after = epilogue.activates_sum ? nullptr : residual;
    std::int64_t i = 0;
    for (; i + n <= columns; i += n) {
      auto v = hn::LoadU(d, c + i);
      if (bias != nullptr) v = hn::Add(v, hn::LoadU(d, bias + i));
      if (before != nullptr) v = hn::Add(v, hn::LoadU(d, before + i));
      v = activate<kActivation>(d, v);
      if (after != nullptr) v = hn::Add(v, hn::LoadU(d, after + i));
      hn::StoreU(v, d, y + i);
    }
    if (i == columns) continue;
    const std::int64_t rest = columns - i;
    auto v = load_part(d, c + i, rest);
    if (bias != nullptr) v = hn::Add(v, load_part(d, bias + i, rest));
    if (before != nullptr) v = hn::Add(v, load_part(d, before + i, rest));
    v = activate<kActivation>(d, v);
    if (after != nullptr) v = hn::Add(v, load_part(d, after + i, rest));
    store_part(v, d, y + i, rest);
  }
}

template <compute::Activation kActivation>
void gate_as(const float* x, std::int64_t n, float* y) {
  const hn::ScalableTag<float> d;
  for_vectors(
      d, n,
      [&](std::int64_t i) HWY_ATTR {
        const auto gate = activate<kActivation>(d, hn::LoadU(d, x + i));
        hn::StoreU(hn::Mul(gate, hn::LoadU(d, x + n + i)), d, y + i);
      },
      [&](std::int64_t i, std::int64_t rest) HWY_ATTR {
        const auto gate = activate<kActivation>(d, load_part(d, x + i, rest));
        store_part(hn::Mul(gate, load_part(d, x + n + i, rest)), d, y + i, rest);
      });
}

/// Calls function<activation>(arguments...).
#define VECFRAME_BY_ACTIVATION(activation, function, ...)   \
  using compute::Activation;                                \
  switch (activation) {                                     \
    case Activation::kNone:                                 \
      return function<Activation::kNone>(__VA_ARGS__);      \
    case Activation::kQuickGelu:                            \
      return function<Activation::kQuickGelu>(__VA_ARGS__); \
    case Activation::kGeluErf:                              \
      return function<Activation::kGeluErf>(__VA_ARGS__);   \
    case Activation::kGeluTanh:                             \
      return function<Activation::kGeluTanh>(__VA_ARGS__);  \
    case Activation::kSilu:                                 \
      return function<Activation::kSilu>(__VA_ARGS__);      \
    case Activation::kRelu:                                 \
      return function<Activation::kRelu>(__VA_ARGS__);      \
    case Activation::kRelu6:                                \
      return function<Activation::kRelu6>(__VA_ARGS__);     \
    case Activation::kTanh:                                 \
      return function<Activation::kTanh>(__VA_ARGS__);      \
  }

inline void finish(const float* c, std::int64_t c_stride, std::int64_t rows, std::int64_t columns,
                   const Epilogue& epilogue, float* y, std::int64_t y_stride) {
  VECFRAME_BY_ACTIVATION(epilogue.activation, finish_as, c, c_stride, rows, columns, epilogue, y,
                         y_stride)
}

inline void gate(compute::Activation activation, const float* x, std::int64_t n, float* y) {
  VECFRAME_BY_ACTIVATION(activation, gate_as, x, n, y)
}
#undef VECFRAME_BY_ACTIVATION

inline void rotate_pairs(const float* turn, std::int64_t d, std::int64_t heads, float* x) {
  const hn::ScalableTag<float> f;
  const std::int64_t half = d / 2;
  for (std::int64_t h = 0; h < heads; ++h, x += d) {
    for_vectors(
        f, half,
        [&](std::int64_t i) HWY_ATTR {
          const auto cosine = hn::LoadU(f, turn + i), sine = hn::LoadU(f, turn + half + i);
          const auto p = hn::LoadU(f, x + i), q = hn::LoadU(f, x + half + i);
          hn::StoreU(hn::NegMulAdd(q, sine, hn::Mul(p, cosine)), f, x + i);
          hn::StoreU(hn::MulAdd(p, sine, hn::Mul(q, cosine)), f, x + half + i);
        },
        [&](std::int64_t i, std::int64_t rest) HWY_ATTR {
          const auto cosine = load_part(f, turn + i, rest);
          const auto sine = load_part(f, turn + half + i, rest);
          const auto p = load_part(f, x + i, rest), q = load_part(f, x + half + i, rest);
          store_part(hn::NegMulAdd(q, sine, hn::Mul(p, cosine)), f, x + i, rest);
          store_part(hn::MulAdd(p, sine, hn::Mul(q, cosine)), f, x + half + i, rest);
        });
  }
}

inline void scale_rows(const float* c, std::int64_t c_stride, std::int64_t rows,
                       std::int64_t columns, const float* factors, float* y,
                       std::int64_t y_stride) {
  const hn::ScalableTag<float> d;
  for (std::int64_t r = 0; r < rows; ++r, c += c_stride, y += y_stride) {
    const auto factor = hn::Set(d, factors[r]);
    for_vectors(
        d, columns,
        [&](std::int64_t i)
            HWY_ATTR { hn::StoreU(hn::Mul(hn::LoadU(d, c + i), factor), d, y + i); },
        [&](std::int64_t i, std::int64_t rest)
            HWY_ATTR { store_part(hn::Mul(load_part(d, c + i, rest), factor), d, y + i, rest); });
  }
}

/// As tensor::float_to_bf16() rounds: to nearest, ties to even, NaN stays NaN.
inline void round_to_bf16(const float* x, std::int64_t count, float* y) {
  const hn::ScalableTag<float> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const auto rounded = [&](hn::Vec<decltype(d)> v) HWY_ATTR {
    const auto bits = hn::BitCast(du, v);
    const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du, 1u));
    const auto up = hn::Add(bits, hn::Add(odd, hn::Set(du, 0x7FFFu)));
    const auto quiet = hn::Or(bits, hn::Set(du, 0x400000u));
    const auto nan = hn::RebindMask(du, hn::IsNaN(v));
    return hn::BitCast(d, hn::And(hn::IfThenElse(nan, quiet, up), hn::Set(du, 0xFFFF0000u)));
  };
  for_vectors(
      d, count,
      [&](std::int64_t i) HWY_ATTR { hn::StoreU(rounded(hn::LoadU(d, x + i)), d, y + i); },
      [&](std::int64_t i, std::int64_t rest)
          HWY_ATTR { store_part(rounded(load_part(d, x + i, rest)), d, y + i, rest); });
}

inline void exp_rows(float* scores, std::int64_t stride, std::int64_t rows, std::int64_t columns,
                     float* inverse_sums) {
  const hn::ScalableTag<float> d;
  for (std::int64_t r = 0; r < rows; ++r, scores += stride) {
    auto largest = hn::Set(d, scores[0]);
    for_vectors(
        d, columns,
        [&](std::int64_t i) HWY_ATTR { largest = hn::Max(largest, hn::LoadU(d, scores + i)); },
        [&](std::int64_t i, std::int64_t rest)
            HWY_ATTR { largest = hn::Max(largest, load_part(d, scores + i, rest, scores[0])); });
    largest = hn::MaxOfLanes(d, largest);
    auto sum = hn::Zero(d);
    for_vectors(
        d, columns,
        [&](std::int64_t i) HWY_ATTR {
          const auto e = exp_of(d, hn::Sub(hn::LoadU(d, scores + i), largest));
          sum = hn::Add(sum, e);
          hn::StoreU(e, d, scores + i);
        },
        [&](std::int64_t i, std::int64_t rest) HWY_ATTR {
          const auto e = exp_of(d, hn::Sub(load_part(d, scores + i, rest), largest));
          store_part(e, d, scores + i, rest);
          sum = hn::Add(sum, load_part(d, scores + i, rest));
        });
    inverse_sums[r] = 1 / hn::GetLane(hn::SumOfLanes(d, sum));
  }
}

inline void normalize(compute::NormKind kind, const float* weight, const float* bias, float epsilon,
                      const float* x, std::int64_t columns, float* y) {
  const hn::ScalableTag<float> d;
  auto mean = hn::Zero(d);
  if (kind == compute::NormKind::kLayerNorm) {
    auto sum = hn::Zero(d);
    for_vectors(
        d, columns, [&](std::int64_t i) HWY_ATTR { sum = hn::Add(sum, hn::LoadU(d, x + i)); },
        [&](std::int64_t i, std::int64_t rest)
            HWY_ATTR { sum = hn::Add(sum, load_part(d, x + i, rest)); });
    mean = hn::Div(hn::SumOfLanes(d, sum), hn::Set(d, static_cast<float>(columns)));
  }
  // Around the mean, not by the difference of two large numbers.
  const float fill = hn::GetLane(mean);
  auto squares = hn::Zero(d);
  const auto add_square = [&](hn::Vec<decltype(d)> v) HWY_ATTR {
    const auto centred = hn::Sub(v, mean);
    squares = hn::MulAdd(centred, centred, squares);
  };
  for_vectors(
      d, columns, [&](std::int64_t i) HWY_ATTR { add_square(hn::LoadU(d, x + i)); },
      [&](std::int64_t i, std::int64_t rest)
          HWY_ATTR { add_square(load_part(d, x + i, rest, fill)); });
  const float variance = hn::GetLane(hn::SumOfLanes(d, squares)) / static_cast<float>(columns);
  const auto inverse = hn::Set(d, 1 / std::sqrt(variance + epsilon));
  for_vectors(
      d, columns,
      [&](std::int64_t i) HWY_ATTR {
        const auto v = hn::Mul(hn::Sub(hn::LoadU(d, x + i), mean), inverse);
        const auto shift = bias != nullptr ? hn::LoadU(d, bias + i) : hn::Zero(d);
        hn::StoreU(hn::MulAdd(v, hn::LoadU(d, weight + i), shift), d, y + i);
      },
      [&](std::int64_t i, std::int64_t rest) HWY_ATTR {
        const auto v = hn::Mul(hn::Sub(load_part(d, x + i, rest), mean), inverse);
        const auto shift = bias != nullptr ? load_part(d, bias + i, rest) : hn::Zero(d);
        store_part(hn::MulAdd(v, load_part(d, weight + i, rest), shift), d, y + i, rest);
      });
}

}  // namespace vecframe::backends::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
