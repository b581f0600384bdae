#include "columnar/morsel.h"

#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <cstdint>
#include <string>
#include <vector>

#include "columnar/array_view.h"
#include "columnar/image_builder.h"
#include "columnar/schema.h"

namespace vecframe::columnar {
namespace {

Schema schema_of(const std::vector<Field>& fields) { return {fields, {}}; }

// The type after a way out and in again.
DataType round_trip(const DataType& type) {
  ArrowSchema schema{};
  export_field({"x", type, true}, &schema);
  const DataType back = import_type(schema);
  schema.release(&schema);
  return back;
}

TEST(ImportType, KnowsWhatWasExported) {
  for (const TypeKind kind : {TypeKind::kString, TypeKind::kBinary, TypeKind::kBoolean,
                              TypeKind::kInt64, TypeKind::kUInt32, TypeKind::kFloat64})
    EXPECT_EQ(round_trip({kind}).kind, kind);
  EXPECT_EQ(round_trip({TypeKind::kEmbedding, 7}).to_string(), "Embedding[Float32; 7]");
  EXPECT_EQ(round_trip({TypeKind::kEmbedding, 7, tensor::DType::kF16}).to_string(),
            "Embedding[Float16; 7]");
  DataType image{TypeKind::kImage};
  EXPECT_EQ(round_trip(image).to_string(), "Image[MIXED]");
  image.image.mode = 3;
  EXPECT_EQ(round_trip(image).to_string(), "Image[RGB]");
  image.image.height = 288;
  image.image.width = 100;
  EXPECT_EQ(round_trip(image).to_string(), "Image[RGB; 288 x 100]");
  EXPECT_EQ(round_trip(image), image);
}

TEST(ImportType, KeepsForeignTypesAsTheyAre) {
  const char* formats[] = {"U", "vu", "Z", "w:5", "tsu:Europe/Paris", "d:12,3", "e"};
  const char* names[] = {"String",    "String",        "Binary", "Binary[5]",
                         "Timestamp", "Decimal[12,3]", "Float16"};
  for (std::size_t i = 0; i < std::size(formats); ++i) {
    ArrowSchema schema{};
    schema.format = formats[i];
    const DataType type = import_type(schema);
    EXPECT_EQ(type.to_string(), names[i]);
    ArrowSchema out{};
    export_field({"n", type, false}, &out);
    EXPECT_STREQ(out.format, formats[i]);
    EXPECT_STREQ(out.name, "n");
    EXPECT_EQ(out.flags, 0);
    EXPECT_EQ(import_type(out), type);
    out.release(&out);
  }
}

TEST(ImportSchema, RefusesWhatIsNoTable) {
  ArrowSchema schema{};
  schema.format = "l";
  EXPECT_THROW(import_schema(schema), RequestError);
}

Morsel example(std::int64_t rows) {
  auto schema = std::make_shared<Schema>(
      schema_of({{"s", {TypeKind::kString}}, {"i", {TypeKind::kInt64}, false}}));
  std::vector<ColumnBuilder> columns;
  for (const Field& field : schema->fields) columns.emplace_back(field.type);
  for (std::int64_t row = 0; row < rows; ++row) {
    row % 4 == 3 ? columns[0].append_null() : columns[0].append("row " + std::to_string(row));
    columns[1].append(row);
  }
  return morsel_of(Batch(schema, columns).release_array());
}

TEST(MorselTest, SharesItsColumns) {
  Morsel morsel = example(10);
  ArrayPointer kept = morsel.columns[0];
  ArrowArray exported{};
  export_morsel(morsel, &exported);
  morsel = {};  // both others still hold what they need
  EXPECT_EQ(string_at(*kept, 2), "row 2");
  ASSERT_EQ(exported.n_children, 2);
  EXPECT_EQ(string_at(*exported.children[0], 9), "row 9");
  // A receiver may move a child out and release the rest first.
  ArrowArray moved = *exported.children[0];
  exported.children[0]->release = nullptr;
  exported.release(&exported);
  kept.reset();
  EXPECT_EQ(string_at(moved, 9), "row 9");
  EXPECT_FALSE(is_valid(moved, 3));
  moved.release(&moved);
}

// A consumer may take any other count to mean that there is a bitmap.
TEST(MorselTest, AWindowWithoutABitmapHasNoNulls) {
  ColumnBuilder whole({TypeKind::kInt64}), gaps({TypeKind::kInt64});
  for (std::int64_t i = 0; i < 3; ++i) {
    whole.append(i);
    i == 1 ? gaps.append_null() : gaps.append(i);
  }
  ArrowArray first, second;
  whole.finish(&first);
  gaps.finish(&second);
  const Morsel part = slice({{share(first), share(second)}, 3}, 1, 2);
  EXPECT_EQ(part.columns[0]->null_count, 0);
  EXPECT_EQ(part.columns[0]->buffers[0], nullptr);
  EXPECT_EQ(part.columns[1]->null_count, -1);
  EXPECT_NE(part.columns[1]->buffers[0], nullptr);
}

TEST(MorselTest, TakesAWindowOfAStruct) {
  Morsel whole = example(10);
  ArrowArray exported{};
  export_morsel(whole, &exported);
  exported.offset = 4;
  exported.length = 3;
  const Morsel window = morsel_of(exported);
  ASSERT_EQ(window.num_rows, 3);
  EXPECT_EQ(string_at(*window.columns[0], 0), "row 4");
  EXPECT_TRUE(is_valid(*window.columns[0], 0));
  EXPECT_FALSE(is_valid(*window.columns[0], 3 - 4 + 4));  // row 7
}

TEST(ImageBuilderTest, HoldsPicturesOfAnySize) {
  ImageBuilder builder(ImageType{});
  const std::vector<std::uint8_t> rgb{1, 2, 3, 4, 5, 6}, gray{9};
  builder.append(3, 3, 1, 2, rgb);
  builder.append_null();
  builder.append(1, 1, 1, 1, gray);
  EXPECT_EQ(builder.length(), 3);
  ArrowArray array{};
  builder.finish(&array);
  EXPECT_EQ(builder.length(), 0);
  EXPECT_EQ(array.null_count, 1);
  EXPECT_FALSE(is_valid(array, 1));
  const ImageView first = image_at(array, 0, {});
  EXPECT_EQ(first.mode, 3);
  EXPECT_EQ(first.width, 2u);
  EXPECT_EQ(std::vector<std::uint8_t>(first.pixels.begin(), first.pixels.end()), rgb);
  EXPECT_EQ(image_at(array, 2, {}).pixels[0], 9);
  EXPECT_TRUE(image_at(array, 1, {}).pixels.empty());
  array.release(&array);
}

TEST(ImageBuilderTest, HoldsPicturesOfOneSizeWithoutFields) {
  const ImageType type{1, 2, 2};
  ImageBuilder builder(type);
  const std::vector<std::uint8_t> a{1, 2, 3, 4}, b{5, 6, 7, 8};
  builder.append(1, 1, 2, 2, a);
  builder.append_null();
  builder.append(1, 1, 2, 2, b);
  EXPECT_THROW(builder.append(3, 3, 2, 2, a), std::logic_error);
  ArrowArray array{};
  builder.finish(&array);
  ASSERT_EQ(array.n_children, 1);
  EXPECT_EQ(array.children[0]->length, 12);
  EXPECT_EQ(image_at(array, 2, type).pixels[3], 8);
  EXPECT_FALSE(is_valid(array, 1));
  array.release(&array);
}

TEST(ImageBuilderTest, AnEmptyColumnIsOneToo) {
  for (const ImageType& type : {ImageType{}, ImageType{3, 4, 4}}) {
    ImageBuilder builder(type);
    ArrowArray array{};
    builder.finish(&array);
    EXPECT_EQ(array.length, 0);
    array.release(&array);
  }
}

}  // namespace
}  // namespace vecframe::columnar
