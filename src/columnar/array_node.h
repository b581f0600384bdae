// Arrays of the Arrow C Data interface made of buffers and children of our own.
#pragma once

#include <vecframe/arrow_c.h>

#include <cstdint>
#include <vector>

#include "columnar/growing_buffer.h"

namespace vecframe::columnar {

/// An array that owns its buffers and children; the receiver releases it. A buffer of zero capacity
/// stands for an absent one.
ArrowArray array_node(std::vector<GrowingBuffer> memory, std::int64_t length,
                      std::int64_t null_count, std::vector<ArrowArray> children = {});

/// Validity and values of an array of fixed-width values: present even where there are none,
/// because not every reader takes a null pointer for zero bytes.
std::vector<GrowingBuffer> array_buffers(GrowingBuffer validity, GrowingBuffer values);

/// One bit a row, and how many of them are not set.
class ValidityBuilder {
 public:
  void append(bool valid) {
    if (length_ % 8 == 0) bits_.append_zeros(1);
    if (valid) bits_.data()[length_ / 8] |= std::byte{1} << (length_ % 8);
    if (!valid) ++null_count_;
    ++length_;
  }
  std::int64_t length() const { return length_; }
  std::int64_t null_count() const { return null_count_; }
  /// The bits, for array_node(); the builder is used up.
  std::vector<GrowingBuffer> take() {
    bits_.reserve(1);
    std::vector<GrowingBuffer> own;
    own.push_back(std::move(bits_));
    return own;
  }

 private:
  GrowingBuffer bits_;
  std::int64_t length_ = 0, null_count_ = 0;
};

}  // namespace vecframe::columnar
