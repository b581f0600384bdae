// The bits of a perceptual hash, and the middle value they are told from.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace vecframe::image {

/// Packs bits into bytes, the first bit highest; the last byte ends in zeros.
class HashBits {
 public:
  explicit HashBits(std::size_t bits) : bytes_((bits + 7) / 8) {}
  void push(bool bit) {
    if (bit) bytes_[count_ / 8] |= std::byte{0x80} >> (count_ % 8);
    ++count_;
  }
  /// A bit for each value: whether it is above `threshold`, which itself is not.
  void push_above(std::span<const double> values, double threshold) {
    for (const double value : values) push(value > threshold);
  }
  /// `count` zeros.
  void skip(std::size_t count) { count_ += count; }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
  std::size_t count_ = 0;
};

/// numpy's: of an even number, half the sum of the two in the middle.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*std::max_element(values.begin(), middle) + *middle) / 2;
}

}  // namespace vecframe::image
