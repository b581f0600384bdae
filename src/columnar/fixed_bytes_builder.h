// A column of byte strings of one length under construction.
#pragma once

#include <vecframe/arrow_c.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>

#include "columnar/growing_buffer.h"

namespace vecframe::columnar {

class FixedBytesBuilder {
 public:
  explicit FixedBytesBuilder(std::size_t size) : size_(size) {}

  void append_null() {
    values_.append_zeros(size_);
    mark(false);
  }
  /// Exactly `size` bytes.
  void append(std::span<const std::byte> value) {
    if (value.size() != size_) throw std::logic_error("bytes of another length");
    values_.append(value.data(), value.size());
    mark(true);
  }
  /// Moves the values into `out`, which the receiver releases; the builder is empty afterwards.
  void finish(ArrowArray* out) {
    auto exported = std::make_unique<Exported>();
    values_.reserve(1);
    validity_.reserve(1);
    exported->validity = std::move(validity_);
    exported->values = std::move(values_);
    exported->buffers[0] = exported->validity.data();
    exported->buffers[1] = exported->values.data();
    *out = {};
    out->length = std::exchange(length_, 0);
    out->null_count = std::exchange(null_count_, 0);
    out->n_buffers = 2;
    out->buffers = exported->buffers;
    out->release = [](ArrowArray* array) {
      if (array->release == nullptr) return;
      delete static_cast<Exported*>(array->private_data);
      array->release = nullptr;
    };
    out->private_data = exported.release();
    validity_ = {};
    values_ = {};
  }

 private:
  struct Exported {
    GrowingBuffer validity, values;
    const void* buffers[2] = {};
  };

  void mark(bool valid) {
    if (length_ % 8 == 0) validity_.append_zeros(1);
    if (valid) validity_.data()[length_ / 8] |= std::byte{1} << (length_ % 8);
    if (!valid) ++null_count_;
    ++length_;
  }

  std::size_t size_;
  GrowingBuffer validity_, values_;  // one bit a row; size_ bytes a row
  std::int64_t length_ = 0, null_count_ = 0;
};

}  // namespace vecframe::columnar
