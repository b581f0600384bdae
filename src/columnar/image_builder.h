// A column of pictures under construction.
#pragma once

#include <vecframe/arrow_c.h>

#include <cstdint>
#include <span>

#include "columnar/array_node.h"
#include "columnar/growing_buffer.h"
#include "columnar/schema.h"

namespace vecframe::columnar {

class ImageBuilder {
 public:
  explicit ImageBuilder(ImageType type) : type_(type) {}

  void append_null();
  /// `pixels` are height * width * channels bytes, row by row. Of a fixed type, that mode and size.
  void append(std::uint8_t mode, std::uint16_t channels, std::uint32_t height, std::uint32_t width,
              std::span<const std::uint8_t> pixels);
  std::int64_t length() const { return validity_.length(); }
  /// Of pixels held so far.
  std::int64_t bytes() const { return static_cast<std::int64_t>(pixels_.size()); }
  /// Moves the values into `out`, which the receiver releases; the builder is empty afterwards.
  void finish(ArrowArray* out);

 private:
  void append_fields(std::uint8_t mode, std::uint16_t channels, std::uint32_t height,
                     std::uint32_t width);

  ImageType type_;
  ValidityBuilder validity_;
  GrowingBuffer offsets_;  // int64, rows + 1; of pixels_
  GrowingBuffer pixels_, channels_, heights_, widths_, modes_;
};

/// One picture of an image array: a view of its pixels. Only when valid.
struct ImageView {
  std::uint8_t mode = 0;
  std::uint32_t height = 0, width = 0;
  std::span<const std::uint8_t> pixels;
};
ImageView image_at(const ArrowArray& array, std::int64_t row, const ImageType& type);

}  // namespace vecframe::columnar
