// What the columnar folder exports by hand is what Arrow's own importer takes.

#include <arrow/c/bridge.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>

#include "example_table.h"

namespace vecframe::io {
namespace {

TEST(ArrowImport, BatchesAreValid) {
  const auto schema = example_schema(7);
  for (const std::int64_t rows : {0, 1, 4, 8, 63, 64, 65, 1000}) {
    ArrowSchema exported;
    columnar::export_schema(*schema, &exported);
    ArrowArray array = example_batch(schema, 0, rows).release_array();
    const auto batch = arrow::ImportRecordBatch(&array, &exported);
    ASSERT_TRUE(batch.ok()) << batch.status().ToString();
    EXPECT_EQ((*batch)->num_rows(), rows);
    const arrow::Status status = (*batch)->ValidateFull();
    EXPECT_TRUE(status.ok()) << rows << " rows: " << status.ToString();
  }
}

TEST(ArrowImport, TheSchemaSaysWhatAVectorIs) {
  ArrowSchema exported;
  columnar::export_schema(*example_schema(512), &exported);
  const auto imported = arrow::ImportSchema(&exported);
  ASSERT_TRUE(imported.ok()) << imported.status().ToString();
  EXPECT_EQ((*imported)->metadata()->Get("vecframe.model").ValueOr(""), "a model");
  const auto field = (*imported)->GetFieldByName("embedding");
  EXPECT_TRUE(field->nullable());
  EXPECT_TRUE(field->type()->Equals(
      arrow::fixed_size_list(arrow::field("item", arrow::float32(), /*nullable=*/false), 512)))
      << field->type()->ToString();
  ASSERT_NE(field->metadata(), nullptr);
  EXPECT_EQ(field->metadata()->Get("ARROW:extension:name").ValueOr(""), "vecframe.embedding");
  EXPECT_EQ(field->metadata()->Get("ARROW:extension:metadata").ValueOr(""),
            R"({"dtype":"float32","dimension":512})");
  EXPECT_FALSE((*imported)->GetFieldByName("path")->nullable());
}

TEST(ArrowImport, StreamsAreTables) {
  const auto schema = example_schema(3);
  std::vector<columnar::Batch> batches;
  batches.push_back(example_batch(schema, 0, 10));
  batches.push_back(example_batch(schema, 10, 0));
  batches.push_back(example_batch(schema, 10, 25));
  ArrowArrayStream stream;
  columnar::export_stream(schema, std::move(batches), &stream);
  const auto reader = arrow::ImportRecordBatchReader(&stream);
  ASSERT_TRUE(reader.ok()) << reader.status().ToString();
  const auto table = (*reader)->ToTable();
  ASSERT_TRUE(table.ok()) << table.status().ToString();
  EXPECT_EQ((*table)->num_rows(), 35);
  EXPECT_TRUE((*table)->ValidateFull().ok());
  EXPECT_EQ((*table)->GetColumnByName("embedding")->null_count(), 7);
}

}  // namespace
}  // namespace vecframe::io
