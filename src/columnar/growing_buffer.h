// Bytes that grow at the end, aligned and padded to 64 as the Arrow layout recommends.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

namespace vecframe::columnar {

class GrowingBuffer {
 public:
  static constexpr std::size_t kAlignment = 64;

  /// Null only as long as nothing was reserved.
  const std::byte* data() const { return data_.get(); }
  std::byte* data() { return data_.get(); }
  std::size_t size() const { return size_; }

  /// Room for at least `capacity` bytes; the padding up to the capacity is zero.
  void reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    const std::size_t grown = std::max({capacity, capacity_ * 2, kAlignment});
    if (grown > std::size_t{1} << 62) throw std::bad_alloc();
    const std::size_t rounded = (grown + kAlignment - 1) / kAlignment * kAlignment;
    auto* bytes = static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded));
    if (bytes == nullptr) throw std::bad_alloc();
    if (size_ > 0) std::memcpy(bytes, data_.get(), size_);
    std::memset(bytes + size_, 0, rounded - size_);
    data_.reset(bytes);
    capacity_ = rounded;
  }

  void append(const void* bytes, std::size_t count) {
    reserve(size_ + count);
    if (count > 0) std::memcpy(data_.get() + size_, bytes, count);
    size_ += count;
  }

  void append_zeros(std::size_t count) {
    reserve(size_ + count);  // which zeroes what it adds
    size_ += count;
  }

 private:
  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> data_;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace vecframe::columnar
