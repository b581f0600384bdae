// Names and types of columns, and their form in the Arrow C Data interface.
#pragma once

#include <vecframe/arrow_c.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "columnar/foreign_type.h"
#include "tensor/dtype.h"

namespace vecframe::columnar {

/// Name of the Arrow extension type of embedding columns.
inline constexpr const char* kEmbeddingExtension = "vecframe.embedding";

/// Name of the Arrow extension type of columns of pictures.
inline constexpr const char* kImageExtension = "vecframe.image";

enum class TypeKind : std::uint8_t {
  kString,  ///< utf8; in another layout if `foreign` says so
  kBinary,  ///< likewise
  kBoolean,
  kInt64,
  kUInt32,
  kFloat64,
  kEmbedding,  ///< extension vecframe.embedding over FixedSizeList<element; dimension>, child
               ///< `item`, not nullable
  kImage,      ///< extension vecframe.image; see ImageType
  kOther,      ///< a column of somebody else's table, which is handed on as it is: `foreign`
};

/// Channels of a mode that an image column can have: four in a row have 1, 2, 3, 4, the last two 3
/// and 4.
constexpr std::int64_t channels_of(std::uint8_t mode) {
  return mode >= 9 ? mode - 6 : (mode - 1) % 4 + 1;
}

/// What is known of all pictures of a column.
///
/// Storage is struct {data large_list<u8>, channel u16, height u32, width u32, mode u8}, or, where
/// mode and size are known, FixedSizeList<u8; height * width * channels>.
struct ImageType {
  std::uint8_t mode = 0;                ///< as image::Mode numbers them; 0: mixed
  std::uint32_t height = 0, width = 0;  ///< 0: varied
  /// Decoded by fast_decode, at a size that whatever takes the pictures decides: of expressions, no
  /// column is stored so.
  bool reduced = false;
  bool fixed() const { return mode != 0 && height != 0 && width != 0; }
  friend bool operator==(const ImageType&, const ImageType&) = default;
};

struct DataType {
  TypeKind kind = TypeKind::kString;
  std::int64_t dimension = 0;                   ///< kEmbedding
  tensor::DType element = tensor::DType::kF32;  ///< kEmbedding: float32 or float16
  ImageType image = {};                         ///< kImage
  std::optional<ForeignType> foreign = std::nullopt;

  /// As a user reads it: "String", "UInt32", "Embedding[Float32; 1280]", "Image[RGB; 288 x 288]".
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

/// Type of a column that others made. Extension types are known by their metadata.
DataType import_type(const ArrowSchema& schema);
/// Of a struct type, such as that of a stream. Throws RequestError for anything else.
Schema import_schema(const ArrowSchema& schema);

/// Fills `out` with the field; the receiver releases it.
void export_field(const Field& field, ArrowSchema* out);

/// Fills `out` with a struct type whose children are the fields; the receiver releases it.
void export_schema(const Schema& schema, ArrowSchema* out);

}  // namespace vecframe::columnar
