// The cosine transform of perceptual hashes, in float64 and in the order of operations of the
// library that defines them.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace vecframe::image {

/// DCT-II without normalisation: y[k] = 2 sum x[n] cos(pi k (2n + 1) / 2N).
///
/// A hash asks whether a coefficient is above the median, and of a flat or a mirrored picture many
/// coefficients are zero but for their rounding. Where N has no prime factor but 2, 3 and 5, each
/// sum is therefore made in the order of scipy.fftpack.dct (pocketfft: the input folded, a real
/// inverse FFT by radix 4, 2, 3 and 5, then a rotation), and all digits agree with it. Other N take
/// the plain sum, whose last digits are its own. Source: scipy 1.17, fftpack/_realtransforms.py and
/// pocketfft_hdronly.h (T_dcst23, rfftp).
class CosineTransform {
 public:
  explicit CosineTransform(std::size_t length);
  /// `values` has `length` elements.
  void apply(std::span<double> values) const;

 private:
  /// One radix of the inverse FFT.
  struct Pass {
    std::size_t radix, inner, outer;  ///< radix * inner * outer = length
    std::vector<double> roots;        ///< (radix - 1, inner - 1): cosine and sine in turn
  };
  void apply_directly(std::span<double> values) const;

  std::size_t length_;
  std::vector<Pass> passes_;       // empty: the plain sum
  std::vector<double> rotations_;  // cos(pi (i + 1) / 2N)
};

}  // namespace vecframe::image
