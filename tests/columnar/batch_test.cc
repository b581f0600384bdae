#include "columnar/batch.h"

#include <gtest/gtest.h>
#include <vecframe/error.h>

#include <cstdint>
#include <stdexcept>

#include "columnar/array_view.h"

namespace vecframe::columnar {
namespace {

template <class T>
const T* values(const ArrowArray& array, int buffer) {
  return static_cast<const T*>(array.buffers[buffer]);
}

std::shared_ptr<const Schema> path_and_embedding(std::int64_t dimension) {
  return std::make_shared<Schema>(
      Schema{.fields = {{"path", {TypeKind::kString}, false},
                        {"embedding", {TypeKind::kEmbedding, dimension}, true}},
             .metadata = {}});
}

std::vector<ColumnBuilder> builders(const Schema& schema) {
  std::vector<ColumnBuilder> columns;
  for (const Field& field : schema.fields) columns.emplace_back(field.type);
  return columns;
}

Batch example(std::int64_t rows) {
  auto schema = path_and_embedding(3);
  auto columns = builders(*schema);
  for (std::int64_t row = 0; row < rows; ++row) {
    columns[0].append("row " + std::to_string(row));
    if (row % 3 == 2) {
      columns[1].append_null();
    } else {
      const float vector[] = {static_cast<float>(row), 0.5f, -1.0f};
      columns[1].append(std::span<const float>(vector));
    }
  }
  return Batch(schema, columns);
}

TEST(Batch, HoldsWhatWasAppendedInTheArrowLayout) {
  constexpr std::int64_t kRows = 1000;
  Batch batch = example(kRows);
  EXPECT_EQ(batch.num_rows(), kRows);
  ArrowArray array = batch.release_array();
  EXPECT_EQ(batch.num_rows(), 0);
  ASSERT_EQ(array.n_children, 2);
  EXPECT_EQ(array.n_buffers, 1);
  EXPECT_EQ(array.buffers[0], nullptr);
  const ArrowArray &paths = *array.children[0], &embeddings = *array.children[1];
  EXPECT_EQ(paths.null_count, 0);
  EXPECT_EQ(paths.buffers[0], nullptr);
  EXPECT_EQ(embeddings.length, kRows);
  EXPECT_EQ(embeddings.null_count, kRows / 3);
  ASSERT_EQ(embeddings.n_children, 1);
  const ArrowArray& items = *embeddings.children[0];
  EXPECT_EQ(items.length, 3 * kRows);
  EXPECT_EQ(items.null_count, 0);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(items.buffers[1]) % 64, 0u);
  for (std::int64_t row = 0; row < kRows; ++row) {
    ASSERT_EQ(string_at(paths, row), "row " + std::to_string(row));
    ASSERT_EQ(is_valid(embeddings, row), row % 3 != 2);
    // The slots of a null row are zeros, since the child has no nulls of its own.
    ASSERT_EQ(values<float>(items, 1)[3 * row + 1], row % 3 == 2 ? 0.0f : 0.5f);
    ASSERT_EQ(values<float>(items, 1)[3 * row], row % 3 == 2 ? 0.0f : static_cast<float>(row));
  }
  array.release(&array);
  EXPECT_EQ(array.release, nullptr);
}

TEST(Batch, AFirstNullLateMarksTheRowsBeforeAsValid) {
  for (const int before : {0, 1, 7, 8, 9, 64}) {
    ColumnBuilder column({TypeKind::kUInt32});
    for (int i = 0; i < before; ++i) column.append(std::uint32_t{7});
    column.append_null();
    column.append(std::uint32_t{8});
    ArrowArray array;
    column.finish(&array);
    EXPECT_EQ(array.null_count, 1);
    for (int i = 0; i < before; ++i) EXPECT_TRUE(is_valid(array, i));
    EXPECT_FALSE(is_valid(array, before));
    EXPECT_TRUE(is_valid(array, before + 1));
    EXPECT_EQ(values<std::uint32_t>(array, 1)[before + 1], 8u);
    array.release(&array);
  }
}

TEST(Batch, StringsThatAreNotUtf8AreMadeValid) {
  ColumnBuilder column({TypeKind::kString});
  column.append("bad \xFF name");
  column.append_null();
  column.append("");
  ArrowArray array;
  column.finish(&array);
  EXPECT_EQ(string_at(array, 0), "bad \xEF\xBF\xBD name");
  EXPECT_FALSE(columnar::is_valid(array, 1));
  EXPECT_TRUE(is_valid(array, 2));
  array.release(&array);
}

TEST(Batch, NoRowsAreAValidBatch) {
  Batch batch = example(0);
  ArrowArray array = batch.release_array();
  EXPECT_EQ(array.length, 0);
  EXPECT_EQ(values<std::int32_t>(*array.children[0], 1)[0], 0);
  EXPECT_NE(array.children[1]->children[0]->buffers[1], nullptr);
  array.release(&array);
}

TEST(Batch, AColumnThatWasMovedOutOutlivesItsBatch) {
  Batch batch = example(10);
  ArrowArray array = batch.release_array();
  ArrowArray moved = *array.children[1];
  array.children[1]->release = nullptr;
  auto* release = array.release;
  array.release(&array);
  release(&array);  // a second time: nothing to do
  EXPECT_EQ(values<float>(*moved.children[0], 1)[3], 1.0f);
  ArrowArray item = *moved.children[0];
  moved.children[0]->release = nullptr;
  moved.release(&moved);
  EXPECT_EQ(values<float>(item, 1)[3], 1.0f);
  item.release(&item);
}

TEST(Batch, ABuilderIsEmptyAfterwardsAndCanGoOn) {
  ColumnBuilder column({TypeKind::kInt64});
  column.append(std::int64_t{-5});
  EXPECT_EQ(column.bytes(), 8);
  ArrowArray first, second;
  column.finish(&first);
  EXPECT_EQ(column.length(), 0);
  EXPECT_EQ(column.bytes(), 0);
  column.append(std::int64_t{6});
  column.finish(&second);
  EXPECT_EQ(values<std::int64_t>(first, 1)[0], -5);
  EXPECT_EQ(values<std::int64_t>(second, 1)[0], 6);
  first.release(&first);
  second.release(&second);
}

TEST(Batch, MovesAndReleasesItself) {
  Batch batch = example(4);
  Batch moved = std::move(batch);
  EXPECT_EQ(moved.num_rows(), 4);
  batch = example(5);
  moved = std::move(batch);
  EXPECT_EQ(moved.num_rows(), 5);
  EXPECT_EQ(batch.num_rows(), 0);  // NOLINT: the moved-from state is what is tested
}

TEST(Batch, MistakesOfTheCallerAreNamed) {
  auto schema = path_and_embedding(2);
  auto columns = builders(*schema);
  columns[0].append("one row too many");
  EXPECT_THROW(Batch(schema, columns), std::logic_error);
  const float three[] = {1, 2, 3};
  EXPECT_THROW(columns[1].append(std::span<const float>(three)), std::logic_error);
  EXPECT_THROW(columns[1].append("text"), std::logic_error);
  EXPECT_EQ(columns[1].length(), 0);
}

TEST(ExportStream, GivesTheBatchesInOrderAndThenEnds) {
  ArrowArrayStream stream;
  {
    std::vector<Batch> batches;
    batches.push_back(example(2));
    batches.push_back(example(3));
    const auto schema = batches.front().schema();
    export_stream(schema, std::move(batches), &stream);
  }
  ArrowSchema schema;
  ASSERT_EQ(stream.get_schema(&stream, &schema), 0);
  EXPECT_EQ(schema.n_children, 2);
  schema.release(&schema);
  ArrowArray first, end;
  ASSERT_EQ(stream.get_next(&stream, &first), 0);
  ArrowArray second;
  ASSERT_EQ(stream.get_next(&stream, &second), 0);
  ASSERT_EQ(stream.get_next(&stream, &end), 0);
  EXPECT_EQ(end.release, nullptr);
  stream.release(&stream);
  EXPECT_EQ(first.length, 2);
  EXPECT_EQ(second.length, 3);
  first.release(&first);
  second.release(&second);
}

TEST(ExportStream, ReleasesBatchesThatNobodyTook) {
  ArrowArrayStream stream;
  std::vector<Batch> batches;
  batches.push_back(example(2));
  const auto schema = batches.front().schema();
  export_stream(schema, std::move(batches), &stream);
  stream.release(&stream);
  EXPECT_EQ(stream.release, nullptr);
}

TEST(ExportStream, AFailureIsAnErrorNumberWithAMessage) {
  auto schema = std::make_shared<Schema>();
  schema->fields.push_back({"image", {TypeKind::kOther}, true});
  ArrowArrayStream stream;
  export_stream(schema, {}, &stream);
  ArrowSchema out;
  EXPECT_NE(stream.get_schema(&stream, &out), 0);
  ASSERT_NE(stream.get_last_error(&stream), nullptr);
  EXPECT_NE(std::string(stream.get_last_error(&stream)).find("image"), std::string::npos);
  stream.release(&stream);
}

TEST(Batch, RoundsHalvesAndWidensThemAgain) {
  const DataType type{TypeKind::kEmbedding, 3, tensor::DType::kF16};
  auto schema = std::make_shared<Schema>(Schema{.fields = {{"e", type, true}}, .metadata = {}});
  auto columns = builders(*schema);
  columns[0].append(std::vector<float>{1, 2.0004883f, -65504});
  columns[0].append_null();
  columns[0].append(std::vector<float>{0.1f, 0, 0});
  const Batch batch(schema, columns);
  const ArrowArray& array = *batch.array().children[0];
  std::vector<float> scratch;
  const auto row = [&](std::int64_t i) {
    const auto vector = embedding_at(array, i, type, scratch);
    return std::vector<float>(vector.begin(), vector.end());
  };
  EXPECT_EQ(row(0), (std::vector<float>{1, 2, -65504}));
  EXPECT_FALSE(columnar::is_valid(array, 1));
  EXPECT_EQ(row(1), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(row(2)[0], 0.0999755859375f);
}

}  // namespace
}  // namespace vecframe::columnar
