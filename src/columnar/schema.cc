#include "columnar/schema.h"

#include <vecframe/error.h>

#include <cstdint>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>

#include "columnar/key_value_metadata.h"

namespace vecframe::columnar {
namespace {

// Owns what an exported ArrowSchema points to. The children's structs live here; what they point to
// is theirs, because a receiver may move a child out and release it after its parent.
struct Exported {
  std::string format, name, metadata;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};

void release(ArrowSchema* schema) {
  if (schema->release == nullptr) return;
  auto* exported = static_cast<Exported*>(schema->private_data);
  for (ArrowSchema& child : exported->children) {
    if (child.release != nullptr) child.release(&child);
  }
  delete exported;
  schema->release = nullptr;
}

// Children are filled in by the caller afterwards, so that a failure on the way leaks nothing.
void export_node(std::string format, const std::string& name, bool nullable,
                 const Metadata& metadata, std::size_t num_children, ArrowSchema* out) {
  auto exported = std::make_unique<Exported>();
  exported->format = std::move(format);
  exported->name = name;
  exported->metadata = encode_metadata(metadata);
  exported->children.resize(num_children);
  for (ArrowSchema& child : exported->children) exported->pointers.push_back(&child);
  *out = {};
  out->format = exported->format.c_str();
  out->name = exported->name.c_str();
  out->metadata = exported->metadata.empty() ? nullptr : exported->metadata.data();
  out->flags = nullable ? ARROW_FLAG_NULLABLE : 0;
  out->n_children = static_cast<std::int64_t>(num_children);
  out->children = num_children == 0 ? nullptr : exported->pointers.data();
  out->release = &release;
  out->private_data = exported.release();
}

// A node of a fixed Arrow type without metadata.
void export_plain(const char* format, const char* name, bool nullable, ArrowSchema* out) {
  export_node(format, name, nullable, {}, 0, out);
}

const char* mode_name(std::uint8_t mode) {
  constexpr const char* kNames[] = {"MIXED", "L",     "LA",     "RGB",    "RGBA",   "L16",
                                    "LA16",  "RGB16", "RGBA16", "RGB32F", "RGBA32F"};
  return mode < std::size(kNames) ? kNames[mode] : "MIXED";
}

std::uint8_t mode_number(const std::string& name) {
  for (std::uint8_t mode = 1; mode <= 10; ++mode)
    if (name == mode_name(mode)) return mode;
  return 0;
}

void export_image(const Field& field, ArrowSchema* out) {
  const ImageType& type = field.type.image;
  nlohmann::ordered_json facts{{"mode", nullptr}, {"height", nullptr}, {"width", nullptr}};
  if (type.mode != 0) facts["mode"] = mode_name(type.mode);
  if (type.height != 0) facts["height"] = type.height;
  if (type.width != 0) facts["width"] = type.width;
  const Metadata metadata = extension_metadata(kImageExtension, facts.dump());
  if (type.fixed()) {
    const std::int64_t bytes = std::int64_t{type.height} * type.width * channels_of(type.mode);
    export_node("+w:" + std::to_string(bytes), field.name, field.nullable, metadata, 1, out);
    return export_plain("C", "item", false, out->children[0]);
  }
  export_node("+s", field.name, field.nullable, metadata, 5, out);
  export_node("+L", "data", false, {}, 1, out->children[0]);
  export_plain("C", "item", false, out->children[0]->children[0]);
  export_plain("S", "channel", false, out->children[1]);
  export_plain("I", "height", false, out->children[2]);
  export_plain("I", "width", false, out->children[3]);
  export_plain("C", "mode", false, out->children[4]);
}

// An embedding column by its storage; nothing if that is not one's.
std::optional<DataType> embedding_type(const ArrowSchema& schema) {
  const std::string_view format = schema.format;
  if (!format.starts_with("+w:") || schema.n_children != 1) return std::nullopt;
  const std::string_view item = schema.children[0]->format;
  if (item != "f" && item != "e") return std::nullopt;
  DataType type{TypeKind::kEmbedding, std::atoll(schema.format + 3)};
  if (item == "e") type.element = tensor::DType::kF16;
  return type.dimension > 0 ? std::optional(type) : std::nullopt;
}

std::optional<DataType> image_type(const ArrowSchema& schema, const std::string& facts) {
  const auto json = nlohmann::json::parse(facts, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  DataType type{TypeKind::kImage};
  const auto side = [&](const char* key) {
    const auto it = json.find(key);
    return it != json.end() && it->is_number_unsigned() ? it->get<std::uint32_t>() : 0u;
  };
  if (const auto it = json.find("mode"); it != json.end() && it->is_string())
    type.image.mode = mode_number(it->get<std::string>());
  type.image.height = side("height");
  type.image.width = side("width");
  constexpr std::uint32_t kMostSide = 1 << 20;  // whose square times four fits well into 64 bits
  if (type.image.height > kMostSide || type.image.width > kMostSide) return std::nullopt;
  const std::string_view format = schema.format;
  if (type.image.fixed()) {
    const std::int64_t bytes =
        std::int64_t{type.image.height} * type.image.width * channels_of(type.image.mode);
    const bool fits = format == "+w:" + std::to_string(bytes) && schema.n_children == 1 &&
                      std::string_view(schema.children[0]->format) == "C";
    return fits ? std::optional(type) : std::nullopt;
  }
  constexpr const char* kFormats[] = {"+L", "S", "I", "I", "C"};
  if (format != "+s" || schema.n_children != 5) return std::nullopt;
  for (std::size_t i = 0; i < 5; ++i)
    if (std::string_view(schema.children[i]->format) != kFormats[i]) return std::nullopt;
  if (std::string_view(schema.children[0]->children[0]->format) != "C") return std::nullopt;
  return type;
}

}  // namespace

DataType import_type(const ArrowSchema& schema) {
  const Metadata metadata = decode_metadata(schema.metadata);
  const std::string extension = metadata_value(metadata, kExtensionName);
  const std::string facts = metadata_value(metadata, kExtensionFacts);
  if (extension == kEmbeddingExtension)
    if (const auto type = embedding_type(schema)) return *type;
  if (extension == kImageExtension)
    if (const auto type = image_type(schema, facts)) return *type;
  if (!extension.empty() || schema.dictionary != nullptr)
    return {TypeKind::kOther, 0, {}, {}, ForeignType(schema)};

  const std::string_view format = schema.format;
  if (format == "u") return {TypeKind::kString};
  if (format == "z") return {TypeKind::kBinary};
  if (format == "b") return {TypeKind::kBoolean};
  if (format == "l") return {TypeKind::kInt64};
  if (format == "I") return {TypeKind::kUInt32};
  if (format == "g") return {TypeKind::kFloat64};
  TypeKind kind = TypeKind::kOther;
  if (format == "U" || format == "vu") kind = TypeKind::kString;
  if (format == "Z" || format == "vz" || format.starts_with("w:")) kind = TypeKind::kBinary;
  return {kind, 0, {}, {}, ForeignType(schema)};
}

Schema import_schema(const ArrowSchema& schema) {
  if (schema.format == nullptr || std::string_view(schema.format) != "+s")
    throw RequestError("data: an Arrow table or stream of record batches is needed");
  Schema result;
  for (std::int64_t i = 0; i < schema.n_children; ++i) {
    const ArrowSchema& child = *schema.children[i];
    result.fields.push_back({child.name == nullptr ? "" : child.name, import_type(child),
                             (child.flags & ARROW_FLAG_NULLABLE) != 0});
  }
  result.metadata = decode_metadata(schema.metadata);
  return result;
}

void export_field(const Field& field, ArrowSchema* out) {
  if (field.type.foreign) return field.type.foreign->export_schema(field.name, field.nullable, out);
  const auto plain = [&](const char* format) {
    export_node(format, field.name, field.nullable, {}, 0, out);
  };
  switch (field.type.kind) {
    case TypeKind::kString:
      return plain("u");
    case TypeKind::kBinary:
      return plain("z");
    case TypeKind::kBoolean:
      return plain("b");
    case TypeKind::kInt64:
      return plain("l");
    case TypeKind::kUInt32:
      return plain("I");
    case TypeKind::kFloat64:
      return plain("g");
    case TypeKind::kEmbedding: {
      const bool half = field.type.element == tensor::DType::kF16;
      const nlohmann::ordered_json facts{{"dtype", half ? "float16" : "float32"},
                                         {"dimension", field.type.dimension}};
      export_node("+w:" + std::to_string(field.type.dimension), field.name, field.nullable,
                  extension_metadata(kEmbeddingExtension, facts.dump()), 1, out);
      return export_plain(half ? "e" : "f", "item", false, out->children[0]);
    }
    case TypeKind::kImage:
      return export_image(field, out);
    case TypeKind::kOther:
      break;
  }
  throw RequestError("column '" + field.name + "' of type " + field.type.to_string() +
                     " has no stored form; leave it out with select()");
}

std::string DataType::to_string() const {
  if (foreign) return foreign->to_string();
  switch (kind) {
    case TypeKind::kString:
      return "String";
    case TypeKind::kBinary:
      return "Binary";
    case TypeKind::kBoolean:
      return "Boolean";
    case TypeKind::kInt64:
      return "Int64";
    case TypeKind::kUInt32:
      return "UInt32";
    case TypeKind::kFloat64:
      return "Float64";
    case TypeKind::kEmbedding:
      return (element == tensor::DType::kF16 ? "Embedding[Float16; " : "Embedding[Float32; ") +
             std::to_string(dimension) + "]";
    case TypeKind::kImage: {
      std::string text = std::string("Image[") + mode_name(image.mode);
      if (image.fixed())
        text += "; " + std::to_string(image.height) + " x " + std::to_string(image.width);
      return text + (image.reduced ? "; fast_decode]" : "]");
    }
    case TypeKind::kOther:
      return "Other";
  }
  return "Unknown";
}

int Schema::find(const std::string& name) const {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return static_cast<int>(i);
  }
  return -1;
}

void export_schema(const Schema& schema, ArrowSchema* out) {
  ArrowSchema root{};
  export_node("+s", "", /*nullable=*/false, schema.metadata, schema.fields.size(), &root);
  try {
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
      export_field(schema.fields[i], root.children[i]);
    }
  } catch (...) {
    root.release(&root);
    throw;
  }
  *out = root;
}

}  // namespace vecframe::columnar
