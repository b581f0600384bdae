#include "columnar/schema.h"

#include <vecframe/error.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace vecframe::columnar {
namespace {

using Metadata = std::vector<std::pair<std::string, std::string>>;

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

void append_int32(std::string& out, std::size_t value) {
  if (value > std::numeric_limits<std::int32_t>::max()) {
    throw std::length_error("schema metadata of more than 2 GiB");
  }
  const auto number = static_cast<std::int32_t>(value);
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

// The C Data interface's form: counts and lengths as native-endian int32 before the bytes.
std::string encode(const Metadata& metadata) {
  if (metadata.empty()) return {};
  std::string out;
  append_int32(out, metadata.size());
  for (const auto& [key, value] : metadata) {
    append_int32(out, key.size());
    out += key;
    append_int32(out, value.size());
    out += value;
  }
  return out;
}

// Children are filled in by the caller afterwards, so that a failure on the way leaks nothing.
void export_node(std::string format, const std::string& name, bool nullable,
                 const Metadata& metadata, std::size_t num_children, ArrowSchema* out) {
  auto exported = std::make_unique<Exported>();
  exported->format = std::move(format);
  exported->name = name;
  exported->metadata = encode(metadata);
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

void export_field(const Field& field, ArrowSchema* out) {
  switch (field.type.kind) {
    case TypeKind::kString:
      return export_node("u", field.name, field.nullable, {}, 0, out);
    case TypeKind::kInt64:
      return export_node("l", field.name, field.nullable, {}, 0, out);
    case TypeKind::kUInt32:
      return export_node("I", field.name, field.nullable, {}, 0, out);
    case TypeKind::kEmbedding: {
      const bool half = field.type.element == tensor::DType::kF16;
      const nlohmann::ordered_json facts{{"dtype", half ? "float16" : "float32"},
                                         {"dimension", field.type.dimension}};
      export_node("+w:" + std::to_string(field.type.dimension), field.name, field.nullable,
                  {{"ARROW:extension:name", kEmbeddingExtension},
                   {"ARROW:extension:metadata", facts.dump()}},
                  1, out);
      return export_node(half ? "e" : "f", "item", /*nullable=*/false, {}, 0, out->children[0]);
    }
    case TypeKind::kImage:
    case TypeKind::kOther:
      break;
  }
  throw RequestError("column '" + field.name + "' of type " + field.type.to_string() +
                     " has no stored form; leave it out with select()");
}

}  // namespace

std::string DataType::to_string() const {
  switch (kind) {
    case TypeKind::kString:
      return "String";
    case TypeKind::kInt64:
      return "Int64";
    case TypeKind::kUInt32:
      return "UInt32";
    case TypeKind::kEmbedding:
      return (element == tensor::DType::kF16 ? "Embedding[Float16; " : "Embedding[Float32; ") +
             std::to_string(dimension) + "]";
    case TypeKind::kImage:
      return "Image[RGB]";
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
