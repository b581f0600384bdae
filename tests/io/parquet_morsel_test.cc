// Tables of any type through Parquet and back.

#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <cstdlib>
#include <thread>

#include "arrow_morsels.h"
#include "columnar/array_view.h"
#include "columnar/batch.h"
#include "columnar/image_builder.h"
#include "temporary_directory.h"

namespace vecframe::io {
namespace {

using storage::TemporaryDirectory;
using testing::HasSubstr;

std::shared_ptr<const columnar::Schema> shared(const arrow::Schema& schema) {
  return std::make_shared<const columnar::Schema>(to_schema(schema));
}

std::vector<std::string> names_of(const columnar::Schema& schema) {
  std::vector<std::string> names;
  for (const auto& field : schema.fields) names.push_back(field.name);
  return names;
}

std::vector<columnar::Morsel> read(storage::TableReader& reader, storage::RowGroups groups) {
  ArrowArrayStream stream{};
  reader.open_stream(names_of(reader.schema()), groups, &stream);
  std::vector<columnar::Morsel> morsels;
  for (;;) {
    ArrowArray array{};
    if (stream.get_next(&stream, &array) != 0) throw RunError(stream.get_last_error(&stream));
    if (array.release == nullptr) break;
    morsels.push_back(columnar::morsel_of(array));
  }
  stream.release(&stream);
  return morsels;
}

TEST(ParquetMorsels, EveryTypeComesBackAsItWas) {
  const TemporaryDirectory directory;
  const std::vector<std::shared_ptr<arrow::Array>> arrays{
      json(arrow::int16(), "[1, null, 3, 4]"),
      json(arrow::boolean(), "[true, null, false, true]"),
      json(arrow::large_utf8(), R"(["a", null, "", "ddd"])"),
      json(arrow::utf8_view(), R"(["a", null, "", "a text longer than a view"])"),
      json(arrow::fixed_size_binary(2), R"(["aa", null, "bb", "cc"])"),
      json(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[1, null, 3, 4]"),
      json(arrow::duration(arrow::TimeUnit::NANO), "[1, null, 3, 4]"),
      json(arrow::decimal128(5, 1), R"(["1.5", null, "2.5", "3.5"])"),
      json(arrow::dictionary(arrow::int32(), arrow::utf8()), R"(["x", null, "y", "x"])"),
      json(arrow::list(arrow::list(arrow::int8())), "[[[1], []], null, [], [null, [2, 3]]]"),
      json(arrow::struct_({arrow::field("a", arrow::int32()), arrow::field("b", arrow::utf8())}),
           R"([{"a": 1, "b": "x"}, null, {"a": null, "b": "y"}, {"a": 3, "b": null}])"),
      json(arrow::null(), "[null, null, null, null]")};
  arrow::FieldVector fields;
  for (const auto& array : arrays)
    fields.push_back(arrow::field("c" + std::to_string(fields.size()), array->type()));
  const auto schema = shared(*arrow::schema(fields));
  const auto writer = table_module().create_parquet(directory / "t.parquet", schema);
  const columnar::Morsel morsel = to_morsel(arrays);
  writer->write(morsel);
  writer->write(table_module().relational().slice(morsel, 2, 2));
  writer->write(table_module().relational().slice(morsel, 1, 0));
  writer->close();
  const auto reader = table_module().open_parquet(directory / "t.parquet");
  EXPECT_EQ(reader->schema().fields, schema->fields);
  EXPECT_EQ(reader->facts().num_rows, 6);
  const auto morsels = read(*reader, {0, reader->facts().num_row_groups});
  const auto taken = table_module().relational().take(reader->schema(), morsels,
                                                      std::vector<std::int64_t>{0, 1, 2, 3, 4, 5});
  for (std::size_t i = 0; i < arrays.size(); ++i) {
    const auto column = to_array(taken.columns[i], arrays[i]->type());
    EXPECT_TRUE(column->RangeEquals(*arrays[i], 0, 4, 0)) << column->ToString();
    EXPECT_TRUE(column->RangeEquals(*arrays[i], 4, 6, 2)) << column->ToString();
  }
}

TEST(ParquetMorsels, PicturesAndVectorsComeBackRowGroupByRowGroup) {
  const TemporaryDirectory directory;
  auto schema = std::make_shared<columnar::Schema>();
  columnar::DataType mixed{columnar::TypeKind::kImage}, fixed{columnar::TypeKind::kImage};
  fixed.image = {3, 40, 50};
  schema->fields = {
      {"v", {columnar::TypeKind::kEmbedding, 3}, true}, {"m", mixed, true}, {"f", fixed, true}};
  schema->metadata = {{"vecframe.model", "a model"}};
  constexpr int kRows = 900;
  columnar::ColumnBuilder vectors(schema->fields[0].type);
  columnar::ImageBuilder varied(mixed.image), same(fixed.image);
  for (int i = 0; i < kRows; ++i) {
    if (i % 7 == 6) {
      vectors.append_null();
      varied.append_null();
      same.append_null();
      continue;
    }
    const auto value = static_cast<float>(i);
    vectors.append(std::vector<float>{value, 0.5f, -value});
    const auto height = static_cast<std::uint32_t>(i % 30 + 1);
    varied.append(1, 1, height, 10,
                  std::vector<std::uint8_t>(10 * height, static_cast<std::uint8_t>(i)));
    same.append(3, 3, 40, 50, std::vector<std::uint8_t>(6000, static_cast<std::uint8_t>(i / 4)));
  }
  columnar::Morsel morsel{{}, kRows};
  ArrowArray array;
  vectors.finish(&array);
  morsel.columns.push_back(columnar::share(array));
  varied.finish(&array);
  morsel.columns.push_back(columnar::share(array));
  same.finish(&array);
  morsel.columns.push_back(columnar::share(array));
  const auto writer = table_module().create_parquet(directory / "t.parquet", schema);
  writer->write(morsel);
  writer->close();

  const auto reader = table_module().open_parquet(directory / "t.parquet");
  EXPECT_EQ(reader->schema().fields, schema->fields);
  EXPECT_EQ(reader->facts().type_names[2], "Image[RGB; 40 x 50]");
  const std::int64_t num_groups = reader->facts().num_row_groups;
  ASSERT_GE(num_groups, 2) << "five megabytes and more";
  const auto check_rows = [&](const std::vector<columnar::Morsel>& morsels, int first) {
    std::vector<float> scratch;
    int row = first;
    for (const columnar::Morsel& part : morsels)
      for (std::int64_t r = 0; r < part.num_rows; ++r, ++row) {
        const bool valid = row % 7 != 6;
        for (const auto& column : part.columns) EXPECT_EQ(columnar::is_valid(*column, r), valid);
        if (!valid) continue;
        EXPECT_EQ(columnar::embedding_at(*part.columns[0], r, schema->fields[0].type, scratch)[2],
                  -static_cast<float>(row));
        const auto picture = columnar::image_at(*part.columns[1], r, mixed.image);
        EXPECT_EQ(picture.height, static_cast<std::uint32_t>(row % 30 + 1));
        EXPECT_EQ(picture.pixels.size(), 10 * picture.height);
        EXPECT_EQ(picture.pixels.back(), static_cast<std::uint8_t>(row));
        EXPECT_EQ(columnar::image_at(*part.columns[2], r, fixed.image).pixels[5999],
                  static_cast<std::uint8_t>(row / 4));
      }
    return row - first;
  };
  const std::string script =
      "import sys, pyarrow.parquet as pq; t = pq.read_table(sys.argv[1]); t.validate(full=True); "
      "f = t.schema.field('m'); n = f.metadata[b'ARROW:extension:name']; "
      "assert n == b'vecframe.image', n; assert t.num_rows == 900 and t['f'].null_count == 128; "
      "assert t['v'][3].as_py() == [3.0, 0.5, -3.0]; assert t['m'][5].as_py()['height'] == 6; "
      "assert t['f'][8].as_py() == [2] * 6000";
  const std::string command = std::string(VECFRAME_TEST_PYTHON) + " -c \"" + script + "\" '" +
                              (directory / "t.parquet") + "'";
  EXPECT_EQ(std::system(command.c_str()), 0) << "pyarrow reads something else";
  const auto first = static_cast<int>(reader->num_rows(0));
  std::thread other([&] {
    EXPECT_EQ(check_rows(read(*reader, {1, num_groups - 1}), first), kRows - first);
  });
  EXPECT_EQ(check_rows(read(*reader, {0, 1}), 0), first);
  other.join();
  EXPECT_EQ(check_rows(read(*reader, {0, num_groups}), 0), kRows);
  EXPECT_EQ(check_rows(read(*reader, {1, 0}), 0), 0);
  EXPECT_THROW(read(*reader, {1, num_groups}), std::out_of_range);
}

TEST(ParquetMorsels, NoRowsAreAValidFile) {
  const TemporaryDirectory directory;
  const auto schema = shared(*arrow::schema({arrow::field("l", arrow::list(arrow::utf8()))}));
  const auto writer = table_module().create_parquet(directory / "t.parquet", schema);
  writer->write(to_morsel({json(arrow::list(arrow::utf8()), "[]")}));
  writer->close();
  const auto reader = table_module().open_parquet(directory / "t.parquet");
  EXPECT_EQ(reader->schema().fields, schema->fields);
  for (const auto& morsel : read(*reader, {0, reader->facts().num_row_groups}))
    EXPECT_EQ(morsel.num_rows, 0);
}

TEST(ParquetMorsels, WhatParquetCannotHoldIsARequestErrorThatNamesTheColumn) {
  const TemporaryDirectory directory;
  const auto schema =
      shared(*arrow::schema({arrow::field("when", arrow::month_day_nano_interval())}));
  try {
    table_module().create_parquet(directory / "t.parquet", schema);
    ADD_FAILURE();
  } catch (const RequestError& error) {
    EXPECT_THAT(error.what(), HasSubstr("column 'when'"));
  }
}

}  // namespace
}  // namespace vecframe::io
