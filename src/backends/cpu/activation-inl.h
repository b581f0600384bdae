// exp and the activations on vectors, and loads that stop at the end of a row.
#if defined(VECFRAME_ACTIVATION_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef VECFRAME_ACTIVATION_INL_H
#undef VECFRAME_ACTIVATION_INL_H
#else
#define VECFRAME_ACTIVATION_INL_H
#endif

#include <hwy/highway.h>

#include <cstddef>
#include <cstdint>

#include "compute/types.h"

HWY_BEFORE_NAMESPACE();
namespace vecframe::backends::cpu::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// The first `count` lanes from memory, `fill` in the others; reads nothing behind them.
template <class D>
HWY_INLINE hn::Vec<D> load_part(D d, const float* from, std::int64_t count, float fill = 0) {
  HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(hn::Lanes(d)); ++i)
    lanes[i] = i < count ? from[i] : fill;
  return hn::Load(d, lanes);
}

template <class D>
HWY_INLINE void store_part(hn::Vec<D> v, D d, float* to, std::int64_t count) {
  HWY_ALIGN float lanes[HWY_MAX_BYTES / sizeof(float)];
  hn::Store(v, d, lanes);
  for (std::int64_t i = 0; i < count; ++i) to[i] = lanes[i];
}

/// Relative error below 2e-7 on [-87.3, 88]; beyond, the value at the end. NaN stays NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp_of(D d, V x) {
  const hn::RebindToSigned<D> di;
  // By comparison, which NaN passes; min and max would drop it on some machines.
  const V low = hn::Set(d, -87.3f), high = hn::Set(d, 88.0f);
  x = hn::IfThenElse(hn::Lt(x, low), low, hn::IfThenElse(hn::Gt(x, high), high, x));
  const V n = hn::Round(hn::Mul(x, hn::Set(d, 1.44269504f)));
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x);  // ln 2 in two parts
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  // Taylor's series suffices on |r| <= ln 2 / 2: the first term left out is 1.2e-7 of the value.
  V p = hn::Set(d, 1.0f / 720);
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 120));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 24));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 6));
  p = hn::MulAdd(p, r, hn::Set(d, 0.5f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f));
  const auto exponent = hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127));
  return hn::Mul(p, hn::BitCast(d, hn::ShiftLeft<23>(exponent)));
}

/// x * sigmoid(s)
template <class D, class V = hn::Vec<D>>
HWY_INLINE V times_sigmoid(D d, V x, V s) {
  return hn::Div(x, hn::Add(hn::Set(d, 1.0f), exp_of(d, hn::Neg(s))));
}

template <compute::Activation kActivation, class D, class V = hn::Vec<D>>
HWY_INLINE V activate(D d, V x) {
  using compute::Activation;
  const V one = hn::Set(d, 1.0f);
  if constexpr (kActivation == Activation::kQuickGelu) {
    return times_sigmoid(d, x, hn::Mul(x, hn::Set(d, 1.702f)));
  } else if constexpr (kActivation == Activation::kSilu) {
    return times_sigmoid(d, x, x);
  } else if constexpr (kActivation == Activation::kGeluTanh) {
    // (1 + tanh u) / 2 = sigmoid(2 u)
    const V x2 = hn::Mul(x, x);
    const V factor =
        hn::MulAdd(x2, hn::Set(d, 2 * 0.7978845608f * 0.044715f), hn::Set(d, 2 * 0.7978845608f));
    return times_sigmoid(d, x, hn::Mul(x, factor));
  } else if constexpr (kActivation == Activation::kGeluErf) {
    // erf by Abramowitz and Stegun 7.1.26, absolute error 1.5e-7. `tail` is the normal
    // distribution's mass beyond |x|, so negative x lose nothing to cancellation.
    const V z = hn::Mul(hn::Abs(x), hn::Set(d, 0.70710678f));
    const V t = hn::Div(one, hn::MulAdd(z, hn::Set(d, 0.3275911f), one));
    V p = hn::Set(d, 0.5f * 1.061405429f);
    p = hn::MulAdd(p, t, hn::Set(d, 0.5f * -1.453152027f));
    p = hn::MulAdd(p, t, hn::Set(d, 0.5f * 1.421413741f));
    p = hn::MulAdd(p, t, hn::Set(d, 0.5f * -0.284496736f));
    p = hn::MulAdd(p, t, hn::Set(d, 0.5f * 0.254829592f));
    const V tail = hn::Mul(hn::Mul(p, t), exp_of(d, hn::Neg(hn::Mul(z, z))));
    return hn::Mul(x, hn::IfThenElse(hn::Lt(x, hn::Zero(d)), tail, hn::Sub(one, tail)));
  } else if constexpr (kActivation == Activation::kRelu) {
    return hn::Max(hn::Zero(d), x);
  } else if constexpr (kActivation == Activation::kRelu6) {
    return hn::Min(hn::Set(d, 6.0f), hn::Max(hn::Zero(d), x));
  } else if constexpr (kActivation == Activation::kTanh) {
    const V e = exp_of(d, hn::Add(x, x));
    return hn::Sub(one, hn::Div(hn::Set(d, 2.0f), hn::Add(e, one)));
  } else {
    return x;
  }
}

}  // namespace vecframe::backends::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
