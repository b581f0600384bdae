#include "session/table_text.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace vecframe::session {
namespace {

TEST(TableText, DrawsNamesTypesAndValues) {
  const auto schema = std::make_shared<columnar::Schema>(
      columnar::Schema{{{"path", {columnar::TypeKind::kString}},
                        {"embedding", {columnar::TypeKind::kEmbedding, 5}},
                        {"width", {columnar::TypeKind::kUInt32}}},
                       {}});
  std::vector<columnar::ColumnBuilder> columns;
  for (const columnar::Field& field : schema->fields) columns.emplace_back(field.type);
  const std::vector<float> vector{1, -2, 0.5f, 0, 9};
  columns[0].append(std::string_view("äö.jpg"));
  columns[1].append(std::span<const float>(vector));
  columns[2].append(std::uint32_t{640});
  columns[0].append(std::string_view("a/very/long/path/to/some/photograph/in/a/folder.jpg"));
  columns[1].append_null();
  columns[2].append_null();
  std::vector<columnar::Batch> batches;
  batches.emplace_back(schema, columns);
  EXPECT_EQ(table_text(*schema, batches),
            "path                                      embedding                           width\n"
            "String                                    Embedding[Float32; 5]               UInt32\n"
            "----------------------------------------  ----------------------------------  ------\n"
            "äö.jpg                                    [1.000, -2.000, 0.500, 0.000, ...]  640\n"
            "...th/to/some/photograph/in/a/folder.jpg  null                                null\n"
            "(2 rows)\n");
}

TEST(TableText, NoRows) {
  const columnar::Schema schema{{{"path", {columnar::TypeKind::kString}}}, {}};
  EXPECT_EQ(table_text(schema, {}), "path\nString\n------\n(0 rows)\n");
}

}  // namespace
}  // namespace vecframe::session
