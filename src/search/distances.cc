#include "search/distances.h"

#include <bit>
#include <cmath>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "search/distances.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace vecframe::search {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::ScalableTag<double>;

HWY_INLINE hn::Vec<Doubles> load(const double* from) { return hn::LoadU(Doubles(), from); }
HWY_INLINE hn::Vec<Doubles> load(const float* from) {
  const Doubles d;
  return hn::PromoteTo(d, hn::LoadU(hn::Rebind<float, Doubles>(), from));
}

// Two sums each, so that one addition does not wait for the last.
template <class T>
HWY_INLINE void add_products(const T* x, const T* y, std::size_t length, double* sums) {
  const Doubles d;
  const std::size_t lanes = hn::Lanes(d);
  auto xy0 = hn::Zero(d), xx0 = hn::Zero(d), yy0 = hn::Zero(d);
  auto xy1 = hn::Zero(d), xx1 = hn::Zero(d), yy1 = hn::Zero(d);
  std::size_t at = 0;
  for (; at + 2 * lanes <= length; at += 2 * lanes) {
    const auto x0 = load(x + at), y0 = load(y + at);
    const auto x1 = load(x + at + lanes), y1 = load(y + at + lanes);
    xy0 = hn::MulAdd(x0, y0, xy0);
    xx0 = hn::MulAdd(x0, x0, xx0);
    yy0 = hn::MulAdd(y0, y0, yy0);
    xy1 = hn::MulAdd(x1, y1, xy1);
    xx1 = hn::MulAdd(x1, x1, xx1);
    yy1 = hn::MulAdd(y1, y1, yy1);
  }
  sums[0] = hn::GetLane(hn::SumOfLanes(d, hn::Add(xy0, xy1)));
  sums[1] = hn::GetLane(hn::SumOfLanes(d, hn::Add(xx0, xx1)));
  sums[2] = hn::GetLane(hn::SumOfLanes(d, hn::Add(yy0, yy1)));
  for (; at < length; ++at) {
    const double a = x[at], b = y[at];
    sums[0] += a * b;
    sums[1] += a * a;
    sums[2] += b * b;
  }
}

template <class T>
HWY_INLINE double add_squares(const T* x, const T* y, std::size_t length) {
  const Doubles d;
  const std::size_t lanes = hn::Lanes(d);
  auto sum0 = hn::Zero(d), sum1 = hn::Zero(d);
  std::size_t at = 0;
  for (; at + 2 * lanes <= length; at += 2 * lanes) {
    const auto d0 = hn::Sub(load(x + at), load(y + at));
    const auto d1 = hn::Sub(load(x + at + lanes), load(y + at + lanes));
    sum0 = hn::MulAdd(d0, d0, sum0);
    sum1 = hn::MulAdd(d1, d1, sum1);
  }
  double sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(sum0, sum1)));
  for (; at < length; ++at) {
    const double difference = double{x[at]} - double{y[at]};
    sum += difference * difference;
  }
  return sum;
}

void float_products(const float* x, const float* y, std::size_t length, double* sums) {
  add_products(x, y, length, sums);
}
void double_products(const double* x, const double* y, std::size_t length, double* sums) {
  add_products(x, y, length, sums);
}
double float_squares(const float* x, const float* y, std::size_t length) {
  return add_squares(x, y, length);
}
double double_squares(const double* x, const double* y, std::size_t length) {
  return add_squares(x, y, length);
}

}  // namespace HWY_NAMESPACE
}  // namespace vecframe::search
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace vecframe::search {

HWY_EXPORT(float_products);
HWY_EXPORT(double_products);
HWY_EXPORT(float_squares);
HWY_EXPORT(double_squares);

Products products_of(std::span<const float> x, std::span<const float> y) {
  double sums[3];
  HWY_DYNAMIC_DISPATCH(float_products)(x.data(), y.data(), x.size(), sums);
  return {sums[0], sums[1], sums[2]};
}

Products products_of(std::span<const double> x, std::span<const double> y) {
  double sums[3];
  HWY_DYNAMIC_DISPATCH(double_products)(x.data(), y.data(), x.size(), sums);
  return {sums[0], sums[1], sums[2]};
}

double squared_distance(std::span<const float> x, std::span<const float> y) {
  return HWY_DYNAMIC_DISPATCH(float_squares)(x.data(), y.data(), x.size());
}

double squared_distance(std::span<const double> x, std::span<const double> y) {
  return HWY_DYNAMIC_DISPATCH(double_squares)(x.data(), y.data(), x.size());
}

std::uint32_t hamming_distance(std::span<const std::byte> x, std::span<const std::byte> y) {
  int bits = 0;
  std::size_t at = 0;
  for (; at + sizeof(std::uint64_t) <= x.size(); at += sizeof(std::uint64_t)) {
    std::uint64_t a = 0, b = 0;
    std::memcpy(&a, x.data() + at, sizeof a);
    std::memcpy(&b, y.data() + at, sizeof b);
    bits += std::popcount(a ^ b);
  }
  for (; at < x.size(); ++at) bits += std::popcount(std::to_integer<std::uint8_t>(x[at] ^ y[at]));
  return static_cast<std::uint32_t>(bits);
}

double cosine_similarity(const Products& products) {
  return products.xy / (std::sqrt(products.xx) * std::sqrt(products.yy));
}

}  // namespace vecframe::search
#endif
