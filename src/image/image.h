// A decoded picture in memory, and the modes it can have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "tensor/aligned_buffer.h"

namespace vecframe::image {

/// Channel layouts, with the numbers the Arrow image type stores. 16-bit samples are native-endian.
enum class Mode : std::uint8_t {
  kL = 1,
  kLA = 2,
  kRGB = 3,
  kRGBA = 4,
  kL16 = 5,
  kLA16 = 6,
  kRGB16 = 7,
  kRGBA16 = 8,
};

constexpr int num_channels(Mode mode) { return (static_cast<int>(mode) - 1) % 4 + 1; }
constexpr int bytes_per_sample(Mode mode) { return mode >= Mode::kL16 ? 2 : 1; }
constexpr int bytes_per_pixel(Mode mode) { return num_channels(mode) * bytes_per_sample(mode); }
std::string_view to_string(Mode mode);

struct Size {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  friend bool operator==(const Size&, const Size&) = default;
};

/// Pixels row by row, channels interleaved, no padding between rows.
class Image {
 public:
  Image() = default;
  Image(Mode mode, Size size)
      : mode_(mode),
        size_(size),
        pixels_(std::size_t{size.width} * size.height *
                static_cast<std::size_t>(bytes_per_pixel(mode))) {}

  Mode mode() const { return mode_; }
  Size size() const { return size_; }
  std::uint32_t width() const { return size_.width; }
  std::uint32_t height() const { return size_.height; }
  std::size_t row_bytes() const {
    return std::size_t{size_.width} * static_cast<std::size_t>(bytes_per_pixel(mode_));
  }
  std::uint8_t* row(std::uint32_t y) { return pixels_.data() + y * row_bytes(); }
  const std::uint8_t* row(std::uint32_t y) const { return pixels_.data() + y * row_bytes(); }
  std::span<std::uint8_t> pixels() { return {pixels_.data(), pixels_.size()}; }
  std::span<const std::uint8_t> pixels() const { return {pixels_.data(), pixels_.size()}; }

 private:
  Mode mode_ = Mode::kRGB;
  Size size_;
  tensor::AlignedBuffer<std::uint8_t> pixels_;
};

}  // namespace vecframe::image
