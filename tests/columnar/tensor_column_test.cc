#include "columnar/tensor_column.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace vecframe::columnar {
namespace {

ImageType image_type(std::uint8_t mode, std::uint32_t height = 0, std::uint32_t width = 0) {
  return {mode, height, width};
}

TEST(TensorType, IsNamedByItsShape) {
  EXPECT_EQ(tensor_type(image_type(3, 6, 8)).to_string(), "Tensor[UInt8; [6, 8, 3]]");
  EXPECT_EQ(tensor_type(image_type(1, 6, 8)).to_string(), "Tensor[UInt8; [6, 8, 1]]");
  EXPECT_EQ(tensor_type(image_type(3)).to_string(), "Tensor[UInt8]");
  EXPECT_EQ(tensor_type(image_type(0)).to_string(), "Tensor[UInt8]");
  EXPECT_TRUE(is_tensor(tensor_type(image_type(0))));
  EXPECT_FALSE(is_tensor({TypeKind::kImage}));
}

TEST(TensorType, ComesBackFromItsExport) {
  for (const ImageType& image : {image_type(4, 2, 5), image_type(2), image_type(0)}) {
    const DataType type = tensor_type(image);
    ArrowSchema schema{};
    export_field({"t", type, true}, &schema);
    EXPECT_EQ(import_type(schema), type);
    schema.release(&schema);
  }
}

TEST(TensorBuilder, KeepsShapesOfVariedTensors) {
  TensorBuilder builder(tensor_type(image_type(0)));
  const std::vector<std::uint8_t> first{1, 2, 3, 4, 5, 6}, second{7, 8};
  builder.append(1, 2, 3, first);
  builder.append_null();
  builder.append(2, 1, 1, second);
  ArrowArray array;
  builder.finish(&array);
  ASSERT_EQ(array.length, 3);
  EXPECT_EQ(array.null_count, 1);
  EXPECT_EQ(static_cast<const std::uint8_t*>(array.buffers[0])[0], 0b101);
  const ArrowArray& data = *array.children[0];
  const auto* offsets = static_cast<const std::int32_t*>(data.buffers[1]);
  EXPECT_EQ(std::vector<std::int32_t>(offsets, offsets + 4),
            (std::vector<std::int32_t>{0, 6, 6, 8}));
  const ArrowArray& shape = *array.children[1]->children[0];
  const auto* sides = static_cast<const std::int32_t*>(shape.buffers[1]);
  EXPECT_EQ(std::vector<std::int32_t>(sides, sides + 9),
            (std::vector<std::int32_t>{1, 2, 3, 0, 0, 0, 2, 1, 1}));
  array.release(&array);
  builder.finish(&array);  // empty again
  EXPECT_EQ(array.length, 0);
  array.release(&array);
}

TEST(TensorBuilder, FillsFixedTensorsBackToBack) {
  TensorBuilder builder(tensor_type(image_type(1, 1, 2)));
  const std::vector<std::uint8_t> pixels{8, 9};
  builder.append_null();
  builder.append(1, 2, 1, pixels);
  EXPECT_THROW(builder.append(1, 1, 1, std::vector<std::uint8_t>{1}), std::logic_error);
  ArrowArray array;
  builder.finish(&array);
  ASSERT_EQ(array.length, 2);
  const auto* bytes = static_cast<const std::uint8_t*>(array.children[0]->buffers[1]);
  EXPECT_EQ(std::vector<std::uint8_t>(bytes, bytes + 4), (std::vector<std::uint8_t>{0, 0, 8, 9}));
  array.release(&array);
}

}  // namespace
}  // namespace vecframe::columnar
