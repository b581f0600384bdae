// What encode() asks of each format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "image/encode.h"

namespace vecframe::image {

/// Where a C library writes to. It never throws, so it may be called from one; a write that fails
/// is remembered.
class ByteSink {
 public:
  /// `limit`: the most bytes the file can have.
  explicit ByteSink(std::uint64_t limit) : limit_(limit) {}

  bool append(const void* data, std::size_t size) noexcept {
    return write(bytes_.size(), data, size);
  }

  /// Writes over what is at `position` and on; up to there a shorter file is filled with zeros.
  bool write(std::uint64_t position, const void* data, std::size_t size) noexcept {
    if (failed_ || position > limit_ || size > limit_ - position) return fail();
    const auto end = static_cast<std::size_t>(position) + size;
    try {
      if (end > bytes_.size()) bytes_.resize(end);
    } catch (const std::bad_alloc&) {
      return fail();
    }
    if (size > 0) std::memcpy(bytes_.data() + position, data, size);
    return true;
  }

  /// May throw std::bad_alloc.
  void reserve(std::uint64_t size) {
    if (size > std::numeric_limits<std::size_t>::max() / 2) throw std::bad_alloc();
    bytes_.reserve(static_cast<std::size_t>(size));
  }
  std::uint64_t size() const { return bytes_.size(); }
  bool failed() const { return failed_; }
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  bool fail() noexcept {
    failed_ = true;
    return false;
  }

  std::uint64_t limit_;
  std::vector<std::byte> bytes_;
  bool failed_ = false;
};

inline RowError encode_error(ErrorCode code, std::string message) {
  return RowError{Stage::kPrepare, code, std::move(message)};
}

/// The most bytes a file can have; 0 where the format cannot hold the sides.
std::uint64_t most_file_bytes(Mode mode, Size size, Format format);

// Each takes an 8-bit picture of a mode that can_encode() allows and of sides the format can hold.
// They may throw std::bad_alloc; a failure of the sink is seen there.
Status encode_png(const Image& image, ByteSink& sink);
Status encode_jpeg(const Image& image, int quality, ByteSink& sink);
Status encode_webp(const Image& image, int quality, bool lossless, ByteSink& sink);
Status encode_gif(const Image& image, ByteSink& sink);
Status encode_bmp(const Image& image, ByteSink& sink);
Status encode_tiff(const Image& image, ByteSink& sink);

}  // namespace vecframe::image
