#include "columnar/schema_json.h"

#include <vecframe/error.h>

#include <cstring>
#include <deque>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vecframe::columnar {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& what) {
  throw RequestError("schema: " + what + " is not what this library writes");
}

// Any bytes as text, each as the character of that number.
std::string to_latin1(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80) {
      text += c;
    } else {
      text += static_cast<char>(0xc0 | (byte >> 6));
      text += static_cast<char>(0x80 | (byte & 0x3f));
    }
  }
  return text;
}

std::string from_latin1(const std::string& text) {
  std::string bytes;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      bytes += text[i];
    } else if ((byte == 0xc2 || byte == 0xc3) && i + 1 < text.size()) {
      bytes +=
          static_cast<char>((byte << 6 | (static_cast<unsigned char>(text[++i]) & 0x3f)) & 0xff);
    } else {
      refuse("metadata of a field");
    }
  }
  return bytes;
}

// Metadata are counts and lengths as native-endian int32 before the bytes.
Json metadata_to_json(const char* metadata) {
  Json pairs = Json::array();
  if (metadata == nullptr) return pairs;
  const auto number = [&] {
    std::int32_t value = 0;
    std::memcpy(&value, metadata, sizeof value);
    metadata += sizeof value;
    return value;
  };
  const auto text = [&] {
    const auto length = static_cast<std::size_t>(number());
    std::string value = to_latin1({metadata, length});
    metadata += length;
    return value;
  };
  for (std::int32_t left = number(); left > 0; --left) {
    Json pair = Json::array();
    pair.push_back(text());
    pair.push_back(text());
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

Json node_to_json(const ArrowSchema& node) {
  Json json;
  json["name"] = node.name == nullptr ? "" : node.name;
  json["format"] = node.format;
  if ((node.flags & ARROW_FLAG_NULLABLE) == 0) json["nullable"] = false;
  if ((node.flags & ~std::int64_t{ARROW_FLAG_NULLABLE}) != 0) json["flags"] = node.flags;
  if (node.metadata != nullptr) json["metadata"] = metadata_to_json(node.metadata);
  for (std::int64_t i = 0; i < node.n_children; ++i)
    json["children"].push_back(node_to_json(*node.children[i]));
  if (node.dictionary != nullptr) json["dictionary"] = node_to_json(*node.dictionary);
  return json;
}

const Json* member(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() ? nullptr : &*found;
}

std::string text_of(const Json& json, const char* key) {
  const Json* value = member(json, key);
  if (value == nullptr || !value->is_string()) refuse("'" + std::string(key) + "' of a field");
  return value->get<std::string>();
}

std::string metadata_from_json(const Json& pairs) {
  if (!pairs.is_array()) refuse("metadata of a field");
  std::string bytes;
  const auto number = [&](std::size_t value) {
    const auto count = static_cast<std::int32_t>(value);
    bytes.append(reinterpret_cast<const char*>(&count), sizeof count);
  };
  number(pairs.size());
  for (const Json& pair : pairs) {
    if (!pair.is_array() || pair.size() != 2) refuse("metadata of a field");
    for (const Json& part : pair) {
      if (!part.is_string()) refuse("metadata of a field");
      const std::string text = from_latin1(part.get<std::string>());
      number(text.size());
      bytes += text;
    }
  }
  return bytes;
}

// Children that a format must have; -1: any number. What reads a type relies on it.
std::int64_t children_of(std::string_view format) {
  if (format == "+l" || format == "+L" || format == "+vl" || format == "+vL" || format == "+m" ||
      format.starts_with("+w:"))
    return 1;
  if (format == "+r") return 2;
  return format.starts_with("+") ? -1 : 0;
}

// Nodes and the texts they point to.
class Nodes {
 public:
  ArrowSchema* read(const Json& json, int depth = 0) {
    constexpr int kMostDepth = 64;
    if (!json.is_object() || depth > kMostDepth) refuse("a field");
    ArrowSchema& node = nodes_.emplace_back();
    node.name = keep(text_of(json, "name"));
    const std::string& format = texts_.emplace_back(text_of(json, "format"));
    node.format = format.c_str();
    if (const Json* flags = member(json, "flags")) {
      if (!flags->is_number_integer()) refuse("'flags' of a field");
      node.flags = flags->get<std::int64_t>();
    }
    const Json* nullable = member(json, "nullable");
    if (nullable != nullptr && !nullable->is_boolean()) refuse("'nullable' of a field");
    if (nullable == nullptr || nullable->get<bool>()) node.flags |= ARROW_FLAG_NULLABLE;
    if (const Json* metadata = member(json, "metadata"))
      node.metadata = keep(metadata_from_json(*metadata));
    std::vector<ArrowSchema*> children;
    if (const Json* list = member(json, "children")) {
      if (!list->is_array()) refuse("'children' of a field");
      for (const Json& child : *list) children.push_back(read(child, depth + 1));
    }
    const std::int64_t wanted = children_of(format);
    if (wanted >= 0 && static_cast<std::size_t>(wanted) != children.size())
      refuse("a field of format '" + format + "'");
    node.n_children = static_cast<std::int64_t>(children.size());
    node.children = children_.emplace_back(std::move(children)).data();
    if (const Json* dictionary = member(json, "dictionary"))
      node.dictionary = read(*dictionary, depth + 1);
    return &node;
  }

 private:
  const char* keep(std::string text) { return texts_.emplace_back(std::move(text)).data(); }

  // Whose elements stay where they are.
  std::deque<ArrowSchema> nodes_;
  std::deque<std::string> texts_;
  std::deque<std::vector<ArrowSchema*>> children_;
};

}  // namespace

Json schema_to_json(const Schema& schema) {
  Json fields = Json::array();
  for (const Field& field : schema.fields) {
    ArrowSchema exported{};
    export_field(field, &exported);
    try {
      fields.push_back(node_to_json(exported));
    } catch (...) {
      exported.release(&exported);
      throw;
    }
    exported.release(&exported);
  }
  return fields;
}

Schema schema_from_json(const Json& json) {
  if (!json.is_array()) refuse("the list of fields");
  Schema schema;
  for (const Json& field : json) {
    Nodes nodes;
    const ArrowSchema& node = *nodes.read(field);
    schema.fields.push_back(
        {node.name, import_type(node), (node.flags & ARROW_FLAG_NULLABLE) != 0});
  }
  return schema;
}

}  // namespace vecframe::columnar
