// A table as a run writes it: paths, vectors with nulls, causes, sizes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "columnar/batch.h"
#include "columnar/schema.h"

namespace vecframe::io {

inline std::shared_ptr<const columnar::Schema> example_schema(std::int64_t dimension) {
  using columnar::TypeKind;
  columnar::Schema schema;
  schema.fields = {{"path", {TypeKind::kString}, /*nullable=*/false},
                   {"embedding", {TypeKind::kEmbedding, dimension}, /*nullable=*/true},
                   {"error", {TypeKind::kString}, /*nullable=*/true},
                   {"width", {TypeKind::kUInt32}, /*nullable=*/true},
                   {"row", {TypeKind::kInt64}, /*nullable=*/false}};
  schema.metadata = {{"vecframe.model", "a model"}};
  return std::make_shared<columnar::Schema>(std::move(schema));
}

inline bool example_failed(std::int64_t row) { return row % 5 == 3; }

inline float example_value(std::int64_t row, std::int64_t i) {
  return static_cast<float>(row) + static_cast<float>(i) / 1024.0f;
}

inline columnar::Batch example_batch(const std::shared_ptr<const columnar::Schema>& schema,
                                     std::int64_t first_row, std::int64_t num_rows) {
  std::vector<columnar::ColumnBuilder> columns;
  for (const columnar::Field& field : schema->fields) columns.emplace_back(field.type);
  std::vector<float> vector(static_cast<std::size_t>(schema->fields[1].type.dimension));
  for (std::int64_t row = first_row; row < first_row + num_rows; ++row) {
    columns[0].append("photos/\xC3\xA9t\xC3\xA9/" + std::to_string(row) + ".jpg");
    if (example_failed(row)) {
      columns[1].append_null();
      columns[2].append("decode/truncated: the data end early");
      columns[3].append_null();
    } else {
      for (std::size_t i = 0; i < vector.size(); ++i) {
        vector[i] = example_value(row, static_cast<std::int64_t>(i));
      }
      columns[1].append(std::span<const float>(vector));
      columns[2].append_null();
      columns[3].append(static_cast<std::uint32_t>(row * 3));
    }
    columns[4].append(row);
  }
  return columnar::Batch(schema, columns);
}

}  // namespace vecframe::io
