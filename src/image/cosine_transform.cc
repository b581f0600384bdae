#include "image/cosine_transform.h"

#include <cmath>
#include <complex>
#include <numbers>
#include <utility>

namespace vecframe::image {
namespace {

// The n-th roots of unity, each the product of two of a short table: that is how pocketfft makes
// them, and the product's last digit is not always that of the cosine itself.
class UnityRoots {
 public:
  explicit UnityRoots(std::size_t n) : n_(n) {
    const std::size_t count = (n + 2) / 2;
    while ((std::size_t{1} << shift_) * (std::size_t{1} << shift_) < count) ++shift_;
    const std::size_t step = std::size_t{1} << shift_;
    for (std::size_t i = 0; i < step; ++i) fine_.push_back(root(i));
    for (std::size_t i = 0; i < (count + step - 1) / step; ++i) coarse_.push_back(root(i * step));
  }

  /// exp(2 pi i index / n), for an index below n.
  std::complex<double> operator[](std::size_t index) const {
    const bool lower = 2 * index > n_;
    if (lower) index = n_ - index;
    const auto a = fine_[index & ((std::size_t{1} << shift_) - 1)], b = coarse_[index >> shift_];
    const double sine = a.real() * b.imag() + a.imag() * b.real();
    return {a.real() * b.real() - a.imag() * b.imag(), lower ? -sine : sine};
  }

 private:
  // Angles are taken from the nearest axis, which keeps them below an eighth of a turn.
  std::complex<double> root(std::size_t index) const {
    if (index == 0) return {1, 0};
    const auto unit = static_cast<double>(0.25L * 3.141592653589793238462643383279502884197L /
                                          static_cast<long double>(n_));
    const std::size_t eighths = 8 * index;
    const bool lower = eighths >= 4 * n_;
    std::size_t x = lower ? 8 * n_ - eighths : eighths;
    const bool left = x >= 2 * n_;
    if (left) x -= 2 * n_;
    const double near = static_cast<double>(x < n_ ? x : 2 * n_ - x) * unit;
    double cosine = x < n_ ? std::cos(near) : std::sin(near);
    double sine = x < n_ ? std::sin(near) : std::cos(near);
    if (left) {
      const double turned = -sine;
      sine = cosine;
      cosine = turned;
    }
    return {cosine, lower ? -sine : sine};
  }

  std::size_t n_, shift_ = 1;
  std::vector<std::complex<double>> fine_, coarse_;
};

// A pass's two arrays: `in` is (outer, radix, inner), `out` is (radix, outer, inner), each row of
// `inner` values a halfcomplex spectrum.
struct Arrays {
  std::size_t radix, inner, outer;
  const double *in, *roots;
  double* out;

  double from(std::size_t i, std::size_t r, std::size_t k) const {
    return in[i + inner * (r + radix * k)];
  }
  double& to(std::size_t i, std::size_t k, std::size_t r) const {
    return out[i + inner * (k + outer * r)];
  }
  // Element i of spectrum r (its real part is at i - 1), turned by its root.
  void turn(std::size_t i, std::size_t k, std::size_t r, double real, double imaginary) const {
    const double* root = roots + (r - 1) * (inner - 1) + i - 2;
    to(i, k, r) = root[0] * imaginary + root[1] * real;
    to(i - 1, k, r) = root[0] * real - root[1] * imaginary;
  }
};

void pass2(const Arrays& a) {
  const std::size_t last = a.inner - 1;
  for (std::size_t k = 0; k < a.outer; ++k) {
    a.to(0, k, 0) = a.from(0, 0, k) + a.from(last, 1, k);
    a.to(0, k, 1) = a.from(0, 0, k) - a.from(last, 1, k);
    if (a.inner % 2 == 0) {
      a.to(last, k, 0) = 2 * a.from(last, 0, k);
      a.to(last, k, 1) = -2 * a.from(0, 1, k);
    }
    for (std::size_t i = 2; i < a.inner; i += 2) {
      const std::size_t j = a.inner - i;
      a.to(i - 1, k, 0) = a.from(i - 1, 0, k) + a.from(j - 1, 1, k);
      a.to(i, k, 0) = a.from(i, 0, k) - a.from(j, 1, k);
      a.turn(i, k, 1, a.from(i - 1, 0, k) - a.from(j - 1, 1, k), a.from(i, 0, k) + a.from(j, 1, k));
    }
  }
}

void pass3(const Arrays& a) {
  constexpr double kCosine = -0.5, kSine = 0.86602540378443864676;
  for (std::size_t k = 0; k < a.outer; ++k) {
    const double sum = 2 * a.from(a.inner - 1, 1, k);
    const double real = a.from(0, 0, k) + kCosine * sum;
    const double across = 2 * kSine * a.from(0, 2, k);
    a.to(0, k, 0) = a.from(0, 0, k) + sum;
    a.to(0, k, 2) = real + across;
    a.to(0, k, 1) = real - across;
    for (std::size_t i = 2; i < a.inner; i += 2) {
      const std::size_t j = a.inner - i;
      const double sum_r = a.from(i - 1, 2, k) + a.from(j - 1, 1, k);
      const double sum_i = a.from(i, 2, k) - a.from(j, 1, k);
      const double mid_r = a.from(i - 1, 0, k) + kCosine * sum_r;
      const double mid_i = a.from(i, 0, k) + kCosine * sum_i;
      const double cross_r = kSine * (a.from(i - 1, 2, k) - a.from(j - 1, 1, k));
      const double cross_i = kSine * (a.from(i, 2, k) + a.from(j, 1, k));
      a.to(i - 1, k, 0) = a.from(i - 1, 0, k) + sum_r;
      a.to(i, k, 0) = a.from(i, 0, k) + sum_i;
      a.turn(i, k, 1, mid_r - cross_i, mid_i + cross_r);
      a.turn(i, k, 2, mid_r + cross_i, mid_i - cross_r);
    }
  }
}

void pass4(const Arrays& a) {
  constexpr double kSqrt2 = std::numbers::sqrt2;
  const std::size_t last = a.inner - 1;
  for (std::size_t k = 0; k < a.outer; ++k) {
    const double sum = a.from(0, 0, k) + a.from(last, 3, k);
    const double difference = a.from(0, 0, k) - a.from(last, 3, k);
    const double real = 2 * a.from(last, 1, k), imaginary = 2 * a.from(0, 2, k);
    a.to(0, k, 0) = sum + real;
    a.to(0, k, 2) = sum - real;
    a.to(0, k, 3) = difference + imaginary;
    a.to(0, k, 1) = difference - imaginary;
    if (a.inner % 2 == 0) {
      const double sum_i = a.from(0, 3, k) + a.from(0, 1, k);
      const double difference_i = a.from(0, 3, k) - a.from(0, 1, k);
      const double sum_r = a.from(last, 0, k) + a.from(last, 2, k);
      const double difference_r = a.from(last, 0, k) - a.from(last, 2, k);
      a.to(last, k, 0) = sum_r + sum_r;
      a.to(last, k, 1) = kSqrt2 * (difference_r - sum_i);
      a.to(last, k, 2) = difference_i + difference_i;
      a.to(last, k, 3) = -kSqrt2 * (difference_r + sum_i);
    }
    for (std::size_t i = 2; i < a.inner; i += 2) {
      const std::size_t j = a.inner - i;
      const double r2 = a.from(i - 1, 0, k) + a.from(j - 1, 3, k);
      const double r1 = a.from(i - 1, 0, k) - a.from(j - 1, 3, k);
      const double i1 = a.from(i, 0, k) + a.from(j, 3, k);
      const double i2 = a.from(i, 0, k) - a.from(j, 3, k);
      const double r4 = a.from(i, 2, k) + a.from(j, 1, k);
      const double i3 = a.from(i, 2, k) - a.from(j, 1, k);
      const double r3 = a.from(i - 1, 2, k) + a.from(j - 1, 1, k);
      const double i4 = a.from(i - 1, 2, k) - a.from(j - 1, 1, k);
      a.to(i - 1, k, 0) = r2 + r3;
      a.to(i, k, 0) = i2 + i3;
      a.turn(i, k, 1, r1 - r4, i1 + i4);
      a.turn(i, k, 2, r2 - r3, i2 - i3);
      a.turn(i, k, 3, r1 + r4, i1 - i4);
    }
  }
}

void pass5(const Arrays& a) {
  constexpr double kCosine1 = 0.3090169943749474241, kSine1 = 0.95105651629515357212;
  constexpr double kCosine2 = -0.8090169943749474241, kSine2 = 0.58778525229247312917;
  for (std::size_t k = 0; k < a.outer; ++k) {
    const std::size_t last = a.inner - 1;
    const double i5 = a.from(0, 2, k) + a.from(0, 2, k), i4 = a.from(0, 4, k) + a.from(0, 4, k);
    const double r2 = a.from(last, 1, k) + a.from(last, 1, k);
    const double r3 = a.from(last, 3, k) + a.from(last, 3, k);
    const double first = a.from(0, 0, k);
    const double near = first + kCosine1 * r2 + kCosine2 * r3;
    const double far = first + kCosine2 * r2 + kCosine1 * r3;
    const double across5 = i5 * kSine1 + i4 * kSine2, across4 = i5 * kSine2 - i4 * kSine1;
    a.to(0, k, 0) = first + r2 + r3;
    a.to(0, k, 4) = near + across5;
    a.to(0, k, 1) = near - across5;
    a.to(0, k, 3) = far + across4;
    a.to(0, k, 2) = far - across4;
    for (std::size_t i = 2; i < a.inner; i += 2) {
      const std::size_t j = a.inner - i;
      const double tr2 = a.from(i - 1, 2, k) + a.from(j - 1, 1, k);
      const double tr5 = a.from(i - 1, 2, k) - a.from(j - 1, 1, k);
      const double ti5 = a.from(i, 2, k) + a.from(j, 1, k);
      const double ti2 = a.from(i, 2, k) - a.from(j, 1, k);
      const double tr3 = a.from(i - 1, 4, k) + a.from(j - 1, 3, k);
      const double tr4 = a.from(i - 1, 4, k) - a.from(j - 1, 3, k);
      const double ti4 = a.from(i, 4, k) + a.from(j, 3, k);
      const double ti3 = a.from(i, 4, k) - a.from(j, 3, k);
      const double real = a.from(i - 1, 0, k), imaginary = a.from(i, 0, k);
      a.to(i - 1, k, 0) = real + tr2 + tr3;
      a.to(i, k, 0) = imaginary + ti2 + ti3;
      const double near_r = real + kCosine1 * tr2 + kCosine2 * tr3;
      const double near_i = imaginary + kCosine1 * ti2 + kCosine2 * ti3;
      const double far_r = real + kCosine2 * tr2 + kCosine1 * tr3;
      const double far_i = imaginary + kCosine2 * ti2 + kCosine1 * ti3;
      const double r5 = tr5 * kSine1 + tr4 * kSine2, r4 = tr5 * kSine2 - tr4 * kSine1;
      const double m5 = ti5 * kSine1 + ti4 * kSine2, m4 = ti5 * kSine2 - ti4 * kSine1;
      a.turn(i, k, 1, near_r - m5, near_i + r5);
      a.turn(i, k, 2, far_r - m4, far_i + r4);
      a.turn(i, k, 3, far_r + m4, far_i - r4);
      a.turn(i, k, 4, near_r + m5, near_i - r5);
    }
  }
}

// Fours first, a single two before them, then the odd primes; empty where there is one above 5.
std::vector<std::size_t> radices(std::size_t length) {
  std::vector<std::size_t> result;
  for (; length % 4 == 0; length /= 4) result.push_back(4);
  if (length % 2 == 0) {
    length /= 2;
    result.push_back(2);
    std::swap(result.front(), result.back());
  }
  for (const std::size_t odd : {3u, 5u})
    for (; length % odd == 0; length /= odd) result.push_back(odd);
  return length == 1 ? result : std::vector<std::size_t>{};
}

}  // namespace

CosineTransform::CosineTransform(std::size_t length) : length_(length) {
  const UnityRoots quarters(4 * length), roots(length);
  for (std::size_t i = 0; i < length; ++i) rotations_.push_back(quarters[i + 1].real());
  std::size_t outer = 1;
  for (const std::size_t radix : radices(length)) {
    Pass pass{radix, length / (outer * radix), outer, {}};
    pass.roots.resize((radix - 1) * (pass.inner - 1));
    for (std::size_t r = 1; r < radix; ++r)
      for (std::size_t i = 1; i <= (pass.inner - 1) / 2; ++i) {
        const std::complex<double> root = roots[r * outer * i];
        double* pair = pass.roots.data() + (r - 1) * (pass.inner - 1) + 2 * i - 2;
        pair[0] = root.real();
        pair[1] = root.imag();
      }
    outer *= radix;
    passes_.push_back(std::move(pass));
  }
}

void CosineTransform::apply_directly(std::span<double> values) const {
  const std::vector<double> input(values.begin(), values.end());
  const double angle = std::numbers::pi / (2 * static_cast<double>(length_));
  for (std::size_t k = 0; k < length_; ++k) {
    double sum = 0;
    for (std::size_t n = 0; n < length_; ++n)
      sum += input[n] * std::cos(angle * static_cast<double>(k * (2 * n + 1) % (4 * length_)));
    values[k] = 2 * sum;
  }
}

void CosineTransform::apply(std::span<double> values) const {
  if (passes_.empty()) return apply_directly(values);
  const std::size_t n = length_;
  values[0] *= 2;
  if (n % 2 == 0) values[n - 1] *= 2;
  for (std::size_t k = 1; k + 1 < n; k += 2) {
    const double next = values[k + 1];
    values[k + 1] -= values[k];
    values[k] += next;
  }
  std::vector<double> in(values.begin(), values.end()), out(n);
  for (const Pass& pass : passes_) {
    const Arrays arrays{pass.radix, pass.inner,        pass.outer,
                        in.data(),  pass.roots.data(), out.data()};
    if (pass.radix == 2) pass2(arrays);
    if (pass.radix == 3) pass3(arrays);
    if (pass.radix == 4) pass4(arrays);
    if (pass.radix == 5) pass5(arrays);
    in.swap(out);
  }
  values[0] = in[0];
  const std::size_t half = (n + 1) / 2;
  for (std::size_t k = 1, j = n - 1; k < half; ++k, --j) {
    const double a = rotations_[k - 1] * in[j] + rotations_[j - 1] * in[k];
    const double b = rotations_[k - 1] * in[k] - rotations_[j - 1] * in[j];
    values[k] = 0.5 * (a + b);
    values[j] = 0.5 * (a - b);
  }
  if (n % 2 == 0) values[half] = in[half] * rotations_[half - 1];
}

}  // namespace vecframe::image
