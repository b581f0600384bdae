// Columns of pixels as numbers: Arrow's canonical tensor types, of uint8, with the axes (height,
// width, channel).
#pragma once

#include <vecframe/arrow_c.h>

#include <array>
#include <cstdint>
#include <span>

#include "columnar/array_node.h"
#include "columnar/growing_buffer.h"
#include "columnar/schema.h"

namespace vecframe::columnar {

/// arrow.fixed_shape_tensor where mode and size of the pictures are known, else
/// arrow.variable_shape_tensor.
DataType tensor_type(const ImageType& image);
/// Whether a type is one of these.
bool is_tensor(const DataType& type);

/// A column of tensors under construction.
class TensorBuilder {
 public:
  /// `type` is one that tensor_type() gave.
  explicit TensorBuilder(const DataType& type);

  void append_null();
  /// `pixels` are height * width * channels bytes; of a fixed shape, as many as it has. Fewer than
  /// 2 GiB in all, which is what the type of varied shapes can hold.
  void append(std::int32_t height, std::int32_t width, std::int32_t channels,
              std::span<const std::uint8_t> pixels);
  /// Moves the values into `out`, which the receiver releases; the builder is empty afterwards.
  void finish(ArrowArray* out);

 private:
  void append_shape(const std::array<std::int32_t, 3>& shape);

  std::int64_t fixed_bytes_;  // 0: varied shapes
  ValidityBuilder validity_;
  GrowingBuffer offsets_, shapes_;  // int32; of varied shapes
  GrowingBuffer pixels_;
};

}  // namespace vecframe::columnar
