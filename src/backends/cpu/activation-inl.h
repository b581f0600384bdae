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
    // The normal distribution is 1/2 + x P(x^2), P a least-squares fit on |x| <= 5.5 in
    // t = 2 x^2 / 5.5^2 - 1, weighted so that the error of x Phi(x) is even: below 7e-7. Cheaper
    // than exp and a division.
    constexpr float kEnd = 5.5f;
    constexpr float kFit[] = {0.12855193f,     -0.0641723499f,  0.0477374829f,   -0.038792368f,
                              0.0320729911f,   -0.0260540619f,  0.0203455482f,   -0.0149649829f,
                              0.0102897622f,   -0.00691976445f, 0.00451978669f,  -0.00226569944f,
                              0.000802307855f, -0.00064612861f, 0.000605834357f, -0.000201208459f};
    const V c = hn::Min(hn::Max(x, hn::Set(d, -kEnd)), hn::Set(d, kEnd));
    const V t = hn::MulSub(hn::Mul(c, c), hn::Set(d, 2 / (kEnd * kEnd)), one);
    V p = hn::Set(d, kFit[15]);
#pragma GCC unroll 16
    for (int i = 14; i >= 0; --i) p = hn::MulAdd(p, t, hn::Set(d, kFit[i]));
    const V y = hn::Mul(x, hn::MulAdd(c, p, hn::Set(d, 0.5f)));
    // Farther out, x times the rounding error of "0" would grow; NaN compares false and stays.
    return hn::IfThenElse(hn::Lt(x, hn::Set(d, -kEnd)), hn::Zero(d), y);
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
