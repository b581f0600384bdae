#include "columnar/foreign_type.h"

#include <array>
#include <cstdint>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>
#include <vector>

#include "columnar/key_value_metadata.h"

namespace vecframe::columnar {

struct ForeignType::Node {
  std::string format, name, metadata;
  std::int64_t flags = 0;
  std::vector<Node> children;
  std::vector<Node> dictionary;  // none, or one

  friend bool operator==(const Node&, const Node&) = default;
};

namespace {

// Metadata are counts and lengths as native-endian int32 before the bytes.
std::string copy_metadata(const char* metadata) {
  if (metadata == nullptr) return {};
  std::size_t size = 0;
  const auto take = [&] {
    std::int32_t value = 0;
    std::memcpy(&value, metadata + size, sizeof value);
    size += sizeof value;
    return value;
  };
  const std::int32_t pairs = take();
  for (std::int32_t i = 0; i < 2 * pairs; ++i) {
    const std::int32_t length = take();
    size += static_cast<std::size_t>(length);
  }
  return {metadata, size};
}

template <class Node>
Node copy(const ArrowSchema& schema) {
  Node node;
  node.format = schema.format == nullptr ? "" : schema.format;
  node.name = schema.name == nullptr ? "" : schema.name;
  node.metadata = copy_metadata(schema.metadata);
  node.flags = schema.flags;
  for (std::int64_t i = 0; i < schema.n_children; ++i)
    node.children.push_back(copy<Node>(*schema.children[i]));
  if (schema.dictionary != nullptr) node.dictionary.push_back(copy<Node>(*schema.dictionary));
  return node;
}

// Owns what an exported schema points to; the structs of its children live here.
struct Exported {
  std::string format, name, metadata;
  std::vector<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
  ArrowSchema dictionary{};
};

void release(ArrowSchema* schema) {
  if (schema->release == nullptr) return;
  auto* exported = static_cast<Exported*>(schema->private_data);
  for (ArrowSchema& child : exported->children) {
    if (child.release != nullptr) child.release(&child);
  }
  if (exported->dictionary.release != nullptr) exported->dictionary.release(&exported->dictionary);
  delete exported;
  schema->release = nullptr;
}

template <class Node>
void export_node(const Node& node, ArrowSchema* out) {
  auto exported = std::make_unique<Exported>();
  exported->format = node.format;
  exported->name = node.name;
  exported->metadata = node.metadata;
  exported->children.resize(node.children.size());
  for (ArrowSchema& child : exported->children) exported->pointers.push_back(&child);
  *out = {};
  out->format = exported->format.c_str();
  out->name = exported->name.c_str();
  out->metadata = exported->metadata.empty() ? nullptr : exported->metadata.data();
  out->flags = node.flags;
  out->n_children = static_cast<std::int64_t>(node.children.size());
  out->children = node.children.empty() ? nullptr : exported->pointers.data();
  out->dictionary = node.dictionary.empty() ? nullptr : &exported->dictionary;
  out->release = &release;
  Exported* owned = exported.release();
  out->private_data = owned;
  for (std::size_t i = 0; i < node.children.size(); ++i)
    export_node(node.children[i], &owned->children[i]);
  if (!node.dictionary.empty()) export_node(node.dictionary.front(), &owned->dictionary);
}

template <class Node>
std::string name_of(const Node& node);

constexpr std::array<std::pair<std::string_view, std::string_view>, 21> kNames{{
    {"n", "Null"},    {"b", "Boolean"}, {"c", "Int8"},    {"C", "UInt8"},   {"s", "Int16"},
    {"S", "UInt16"},  {"i", "Int32"},   {"I", "UInt32"},  {"l", "Int64"},   {"L", "UInt64"},
    {"e", "Float16"}, {"f", "Float32"}, {"g", "Float64"}, {"z", "Binary"},  {"Z", "Binary"},
    {"vz", "Binary"}, {"u", "String"},  {"U", "String"},  {"vu", "String"}, {"tdD", "Date"},
    {"tdm", "Date"},
}};

// Of the canonical tensor types; empty if it is none.
template <class Node>
std::string tensor_name(const Node& node) {
  const Metadata metadata = decode_metadata(node.metadata.empty() ? nullptr : node.metadata.data());
  const std::string extension = metadata_value(metadata, kExtensionName);
  if (extension == "arrow.variable_shape_tensor" && node.format == "+s" && !node.children.empty() &&
      !node.children[0].children.empty())
    return "Tensor[" + name_of(node.children[0].children[0]) + "]";
  if (extension != "arrow.fixed_shape_tensor" || node.children.empty()) return {};
  const auto facts = nlohmann::json::parse(metadata_value(metadata, kExtensionFacts), nullptr,
                                           /*allow_exceptions=*/false);
  std::string shape;
  if (facts.is_object() && facts.contains("shape") && facts["shape"].is_array())
    for (const auto& side : facts["shape"]) shape += (shape.empty() ? "" : ", ") + side.dump();
  return "Tensor[" + name_of(node.children[0]) + "; [" + shape + "]]";
}

// As the reference dataframe writes it.
template <class Node>
std::string name_of(const Node& node) {
  const std::string_view format = node.format;
  if (!node.dictionary.empty()) return "Dictionary";
  if (std::string tensor = tensor_name(node); !tensor.empty()) return tensor;
  for (const auto& [code, name] : kNames)
    if (code == format) return std::string(name);
  if (format.starts_with("w:")) return "Binary[" + std::string(format.substr(2)) + "]";
  const auto items = [&] { return node.children.empty() ? "" : name_of(node.children[0]); };
  if (format == "+l" || format == "+L") return "List[" + items() + "]";
  if (format.starts_with("+w:"))
    return "FixedSizeList[" + items() + "; " + std::string(format.substr(3)) + "]";
  if (format == "+s") {
    std::string fields;
    for (const Node& child : node.children)
      fields += (fields.empty() ? "" : ", ") + child.name + ": " + name_of(child);
    return "Struct[" + fields + "]";
  }
  if (format.starts_with("d:")) return "Decimal[" + std::string(format.substr(2)) + "]";
  if (format.starts_with("ts")) return "Timestamp";
  if (format.starts_with("tt")) return "Time";
  if (format.starts_with("tD")) return "Duration";
  if (format.starts_with("+m")) return "Map";
  if (format.starts_with("+u")) return "Union";
  return "Other";
}

}  // namespace

ForeignType::ForeignType(const ArrowSchema& schema) {
  Node node = copy<Node>(schema);
  node.name.clear();
  node.flags &= ~std::int64_t{ARROW_FLAG_NULLABLE};
  node_ = std::make_shared<const Node>(std::move(node));
}

const std::string& ForeignType::format() const { return node_->format; }

std::string ForeignType::extension_name() const {
  return metadata_value(decode_metadata(node_->metadata.empty() ? nullptr : node_->metadata.data()),
                        kExtensionName);
}

std::string ForeignType::item_format() const {
  return node_->children.size() == 1 ? node_->children[0].format : "";
}

std::string ForeignType::to_string() const { return name_of(*node_); }

void ForeignType::export_schema(const std::string& name, bool nullable, ArrowSchema* out) const {
  Node node = *node_;
  node.name = name;
  if (nullable) node.flags |= ARROW_FLAG_NULLABLE;
  export_node(node, out);
}

bool operator==(const ForeignType& a, const ForeignType& b) {
  return a.node_ == b.node_ || *a.node_ == *b.node_;
}

}  // namespace vecframe::columnar
