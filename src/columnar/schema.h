// Names and types of columns, and their form in the Arrow C Data interface.
#pragma once

#include <vecframe/arrow_c.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "tensor/dtype.h"

namespace vecframe::columnar {

/// Name of the Arrow extension type of embedding columns.
inline constexpr const char* kEmbeddingExtension = "vecframe.embedding";

enum class TypeKind : std::uint8_t {
  kString,  ///< utf8
  kInt64,
  kUInt32,
  kEmbedding,  ///< extension vecframe.embedding over FixedSizeList<element; dimension>, child
               ///< `item`, not nullable
  kImage,      ///< a picture, decoded on demand; has no stored form yet
  kOther,      ///< a column of somebody else's table, which can be named but not read
};

struct DataType {
  TypeKind kind = TypeKind::kString;
  std::int64_t dimension = 0;                   ///< kEmbedding
  tensor::DType element = tensor::DType::kF32;  ///< kEmbedding: float32 or float16

  /// As a user reads it: "String", "UInt32", "Embedding[Float32; 1280]", "Image[RGB]".
  std::string to_string() const;
  friend bool operator==(const DataType&, const DataType&) = default;
};

struct Field {
  std::string name;
  DataType type;
  bool nullable = true;
  friend bool operator==(const Field&, const Field&) = default;
};

struct Schema {
  std::vector<Field> fields;
  /// Key-value metadata of the whole, in order.
  std::vector<std::pair<std::string, std::string>> metadata;

  /// Index of the field, or -1.
  int find(const std::string& name) const;
};

/// Fills `out` with a struct type whose children are the fields; the receiver releases it.
void export_schema(const Schema& schema, ArrowSchema* out);

}  // namespace vecframe::columnar
